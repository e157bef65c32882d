import {
  type ArgumentsHost,
  BadRequestException,
  Catch,
  InternalServerErrorException,
  Logger,
} from "@nestjs/common";
import { APP_FILTER, BaseExceptionFilter } from "@nestjs/core";
import { QueryFailedError } from "typeorm";
import { InvalidUuidError } from "typeorm-task-run-state";

@Catch(InvalidUuidError)
class InvalidUuidFilter extends BaseExceptionFilter {
  override catch({ message }: InvalidUuidError, host: ArgumentsHost): void {
    super.catch(new BadRequestException(message), host);
  }
}

@Catch(QueryFailedError)
class QueryFailedFilter extends BaseExceptionFilter {
  override catch({ stack }: QueryFailedError, host: ArgumentsHost): void {
    new Logger("QueryFailed").error(stack);
    super.catch(new InternalServerErrorException(), host);
  }
}

export const errorFilters = [
  { provide: APP_FILTER, useClass: InvalidUuidFilter },
  { provide: APP_FILTER, useClass: QueryFailedFilter },
];

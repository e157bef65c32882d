import { type ArgumentsHost, Catch, InternalServerErrorException, Logger } from "@nestjs/common";
import { BaseExceptionFilter } from "@nestjs/core";
import { QueryFailedError } from "typeorm";

/** Nest would log all of the error, and with it the values of the statement, which are a client's data. */
@Catch(QueryFailedError)
export class QueryFailedFilter extends BaseExceptionFilter {
  private readonly logger = new Logger(QueryFailedFilter.name);

  override catch(error: QueryFailedError, host: ArgumentsHost): void {
    this.logger.error(error.stack);
    super.catch(new InternalServerErrorException(), host);
  }
}

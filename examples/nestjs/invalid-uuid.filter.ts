import { type ArgumentsHost, Catch, NotFoundException, UnprocessableEntityException } from "@nestjs/common";
import { BaseExceptionFilter } from "@nestjs/core";
import { InvalidUuidError } from "typeorm-task-run-state";

/** Answers as Prefect's server does: 404 for a malformed id in the path, 422 for one in the query. */
@Catch(InvalidUuidError)
export class InvalidUuidFilter extends BaseExceptionFilter {
  override catch({ parameter, message }: InvalidUuidError, host: ArgumentsHost): void {
    const isInQuery = parameter === "taskRunId";
    super.catch(isInQuery ? new UnprocessableEntityException(message) : new NotFoundException(message), host);
  }
}

import { type ArgumentsHost, Catch, type ExceptionFilter } from "@nestjs/common";
import type { Response } from "express";
import { InvalidUuidError } from "typeorm-task-run-state";

/** Answers as Prefect does: a malformed id in the path is unknown, a malformed query is unprocessable. */
@Catch(InvalidUuidError)
export class InvalidUuidFilter implements ExceptionFilter<InvalidUuidError> {
  catch(error: InvalidUuidError, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    response.status(error.parameter === "taskRunId" ? 422 : 404).json({ detail: error.message });
  }
}

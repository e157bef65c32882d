import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from "@nestjs/common";
import type { Response } from "express";

import { answerTo } from "../host/http.js";

@Catch()
export class ErrorFilter implements ExceptionFilter<Error> {
  private readonly logger = new Logger(ErrorFilter.name);

  catch(error: Error, host: ArgumentsHost): void {
    const { status, detail } = answerTo(error);
    // The stack alone: an error of the database also holds the statement's parameters, and so a client's data.
    if (status === 500) this.logger.error(error.stack);
    host.switchToHttp().getResponse<Response>().status(status).json({ detail });
  }
}

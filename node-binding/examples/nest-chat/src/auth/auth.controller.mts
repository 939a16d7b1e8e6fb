import { BadRequestException, Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { BadInput } from '../../../chat/server/input.mjs';
import { AuthService } from './auth.service.mjs';
import type { User } from './auth.service.mjs';

@Controller('auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Get('users')
  users(): string[] {
    return this.auth.madeUp;
  }

  @Post('login')
  @HttpCode(200)
  logIn(@Body() body: unknown): { token: string; user: User } {
    try {
      return this.auth.logIn(body);
    } catch (error) {
      throw error instanceof BadInput ? new BadRequestException(error.message) : error;
    }
  }
}

/** The routes: the weather of now and of the days to come. */

import { Meter, Metered, type MeterContext, type NestRequest, SkipMeter } from '@farebox/nestjs'
import { BadRequestException, Controller, Get, Param, Query } from '@nestjs/common'
import { type Weather, weatherOf } from './weather.ts'

const MOST_DAYS = 14

@Controller()
export class WeatherController {
  @Get()
  @SkipMeter()
  index(): object {
    return { now: '/weather/{place}', forecast: '/weather/{place}/forecast?days=3' }
  }

  /** One call: the module meters what says nothing else. */
  @Get('weather/:place')
  now(@Param('place') place: string, @Meter() meter: MeterContext): object {
    return { place, ...weatherOf(place, 0), callsLeft: meter.remaining }
  }

  /** As many days as are asked for. */
  @Get('weather/:place/forecast')
  @Metered('forecast_days', { units: (request) => daysOf(request) ?? 0 })
  forecast(@Param('place') place: string, @Query('days') days: string | undefined): readonly Weather[] {
    const count = parseDays(days)
    if (count === null) throw new BadRequestException(`days must be a whole number from 1 to ${MOST_DAYS}`)
    return Array.from({ length: count }, (_, index) => weatherOf(place, index + 1))
  }
}

function daysOf(request: NestRequest): number | null {
  return parseDays((request['query'] as { days?: unknown } | undefined)?.days)
}

function parseDays(days: unknown = '1'): number | null {
  const count = Number(days)
  return Number.isInteger(count) && count >= 1 && count <= MOST_DAYS ? count : null
}

/** All rooms of the examination, in the order their findings are told. Each is a file of its own beside this one. */
import { cookies } from './cookies.ts'
import type { Examination } from './examination.ts'
import { gatewayInFront } from './gateway-in-front.ts'
import { personBrings } from './person-brings.ts'
import { provider } from './provider.ts'
import { redis } from './redis.ts'
import { runningProcess } from './running-process.ts'
import { serviceAccounts } from './service-accounts.ts'
import { upstreams } from './upstreams.ts'

export const examinations: readonly Examination[] = [
  provider,
  redis,
  runningProcess,
  gatewayInFront,
  cookies,
  upstreams,
  serviceAccounts,
  personBrings,
]

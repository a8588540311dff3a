import { type Idp, type IdpOptions, startIdp } from '../../src/dev/idp.ts'
import { borrowRsaKeys } from './rsa-keys.ts'

/** The embedded provider with a borrowed key: many start in one process of tests. */
export async function startTestIdp(options: IdpOptions = {}): Promise<Idp> {
  const { keys, giveBack } = await borrowRsaKeys()
  const idp = await startIdp({ ...options, privateKey: keys.privateKey })
  const close = async () => {
    await idp.close()
    giveBack()
  }
  return { ...idp, close }
}

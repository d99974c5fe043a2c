/** The conformance suite on Express. */

import { adapterSuite } from '@farebox/conformance'
import { listen } from './sample-app.ts'
import { VERSIONS } from './versions.ts'

for (const version of VERSIONS) {
  adapterSuite({
    name: version.name,
    listen: (sample) => listen(sample, version),
    skip: {
      'C10.3': 'Express does not tell the pattern of a mount that has parameters',
      'C11.2': 'Express does not tell the pattern of a mount that has parameters',
      C44: 'Express does not send web responses',
    },
  })
}

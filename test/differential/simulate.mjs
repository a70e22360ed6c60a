// Puts each case of its input to iam-simulate, unmodified, and prints its answer:
// one JSON value in each line, both ways.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

for await (const line of createInterface({ input: process.stdin })) {
  const { policy, principal, action, resource, context } = JSON.parse(line)
  const answer = await runSimulation(
    {
      identityPolicies: [],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: policy,
      request: { principal, action, resource: { resource, accountId: '111111111111' }, contextVariables: context },
    },
    {},
  )
  const said = answer.resultType === 'error' ? { error: JSON.stringify(answer.errors) } : { outcome: answer.overallResult }
  process.stdout.write(JSON.stringify(said) + '\n')
}

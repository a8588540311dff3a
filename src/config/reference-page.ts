/** docs/configuration.md, made from the schema. */
import { identityHeaders } from './identity-headers.ts'
import { asYaml, isWorthSaying, type ReferenceEntry, referenceEntries } from './reference.ts'

/** The name of each set, and what each of its headers holds. */
function presetRows(): string {
  const rows = Object.entries(identityHeaders).map(([name, headers]) => {
    const cells = headers.map((header) => `\`${header.name}\` {${header.parts[0]?.kind}}`)
    return `| \`${name}\` | ${cells.length === 0 ? 'those of `headers:` alone' : cells.join(', ')} |`
  })
  return rows.join('\n')
}

const introduction =
  (): string => `<!-- Made by \`npm run docs\` from src/config/schema*.ts. Edit the descriptions there. -->
# Configuration

Doorward reads one YAML file. This is a whole one:

\`\`\`yaml
version: 1
publicUrl: https://grafana.example.com
provider:
  kind: keycloak
  issuer: https://keycloak.example.com/realms/main
  clientId: grafana
  clientSecret: { file: /run/secrets/client-secret }
routes:
  - allow: signedIn
    upstream: http://127.0.0.1:3000
\`\`\`

\`doorward check\` reads it and prints every problem with its line, the addresses to register at the provider, and what
may surprise you later. \`doorward help config session.idle\` shows any key on the terminal. Editors complete keys with
\`config.schema.json\`: put \`# yaml-language-server: $schema=config.schema.json\` on the first line.

## How values are written

- **Durations** have a unit: \`500ms\`, \`90s\`, \`15m\`, \`12h\`, \`1h30m\`, \`7d\`. **Sizes** too: \`64KiB\`, \`10MiB\`, \`1GiB\`.
- **Secrets** are \`{ file: /run/secrets/name }\`, \`{ env: NAME }\` or the text itself. The text is trimmed and used as it
  is, never decoded. Files are watched, so a secret can be changed without a restart; a value from the environment
  cannot change in a running process. \`openssl rand -hex 32\` makes a good \`session.secret\`.
- **\`\${NAME}\`** in any value is replaced by an environment variable, \`\${NAME:-default}\` by the default where the variable
  is unset or empty. \`$\${NAME}\` is the literal text. Placeholders that another tool left behind (\`$name\`,
  \`$name:key\`) are refused.
- **File names** that are relative start beside the config file.
- Where a list is wanted, one value may stand alone.
- A key that is not known is an error, and so is a key written twice.

## Who it is: headers

Upstreams learn who is asking from request headers: with \`identityHeaders: default\` they are \`X-Auth-User\`,
\`X-Auth-Subject\`, \`X-Auth-Email\` and \`X-Auth-Groups\`. A route adds or replaces headers under \`headers:\`.

Let the application know people by \`{sub}\`. It is unique at the provider and never given to anybody else. A user name
or e-mail address can change, and can belong to another person next year; that person would then find the first one's
account.

| template | value |
|---|---|
| \`{sub}\` | subject: the provider's own, lasting id of the person |
| \`{username}\` | \`preferred_username\`, else the subject; for people to read |
| \`{email}\` | e-mail address, if the provider calls it verified |
| \`{name}\` | display name |
| \`{groups}\` | groups, joined by \`groupSeparator\` |
| \`{claim:department}\` | any claim by its name |
| \`{accessToken}\`, \`{idToken}\` | the tokens themselves, for upstreams that check them |

Text may stand around a template (\`Bearer {accessToken}\`); \`{{\` and \`}}\` are literal braces.

An application set up for another gateway keeps its header names:

| \`identityHeaders\` | headers |
|---|---|
${presetRows()}
`

/** The whole page. */
export function configurationPage(): string {
  const entries = referenceEntries().filter(({ section }) => !section.startsWith('providers.'))
  const sections = [...new Set(entries.map(({ section }) => section))]
  return [introduction(), ...sections.map((section) => sectionOf(section, entries))].join('\n')
}

function sectionOf(section: string, entries: readonly ReferenceEntry[]): string {
  const title = section === '' ? '## Keys' : `## \`${section}\``
  const opener = entries.find(({ opens }) => opens === section)
  const keys = entries.filter((entry) => entry.section === section).map(keyOf)
  return [title, '', ...(opener === undefined ? [] : [`${opener.description}\n`]), ...keys].join('\n')
}

function keyOf({ key, type, required, fallback, description, examples, opens, path }: ReferenceEntry): string {
  const facts = [type, required ? '**required**' : '', isWorthSaying(fallback) ? `default \`${asYaml(fallback)}\`` : '']
  const link = opens === undefined || opens === '' ? '' : ` Keys: [\`${opens}\`](#${anchorOf(opens)}).`
  const same = path === 'providers' ? ' Each has the keys of [`provider`](#provider).' : ''
  const example = examples.map((one) => `\`${key}: ${asYaml(one)}\``)
  const lines = [
    `- **\`${key}\`**: ${facts.filter((fact) => fact !== '').join('; ')}  `,
    `  ${description}${path === 'providers' ? same : link}`,
    ...(example.length === 0 ? [] : [`  Example: ${example.join(' or ')}`]),
  ]
  if (example.length > 0) lines[1] += '  '
  return `${lines.join('\n')}\n`
}

/** How GitHub makes the anchor of a heading. */
const anchorOf = (section: string): string => section.toLowerCase().replaceAll(/[^\w-]/g, '')

/** Every command as data. The help pages and the parser are made from it; each file is loaded when it is called. */
import { adminOptions } from './keycloak/admin-access.ts'
import type { Call, ExitCode } from './world.ts'

export interface Command {
  readonly name: string
  /** One line for the overview, at most 60 characters. */
  readonly summary: string
  readonly positionals?: readonly string[]
  /** What may follow after `--`, as the usage line has it; left out where nothing may. */
  readonly rest?: string
  readonly options: Readonly<Record<string, OptionDescription>>
  /** Paragraphs under the usage line, wrapped by the help page. */
  readonly about: readonly string[]
  readonly examples: readonly string[]
  run(call: Call): Promise<ExitCode>
}

export interface OptionDescription {
  /** What stands for its value, `FILE`; left out for a switch. */
  readonly value?: string
  readonly short?: string
  readonly summary: string
}

const config: OptionDescription = { value: 'FILE', short: 'c', summary: 'the config file' }
const json: OptionDescription = { summary: 'print JSON, for a program to read' }

export const commands: readonly Command[] = [
  {
    name: 'serve',
    summary: 'run the gateway',
    options: { config },
    about: [
      'Reads the config file and listens. A file with a problem does not start; `doorward check` shows the same without starting.',
      'Files are watched: a change is taken over without losing a request, and a broken one is refused and logged. SIGHUP takes it over at once. SIGTERM and SIGINT finish what is under way and exit 0; a second one ends at once.',
      'The log goes to standard output, one JSON object a line.',
    ],
    examples: ['doorward serve', 'doorward serve --config /etc/doorward/config.yaml'],
    run: async (call) => (await import('./serve.ts')).serve(call),
  },
  {
    name: 'check',
    summary: 'tell what is wrong with a config file, and what it needs',
    options: { config, strict: { summary: 'let warnings fail too (exit code 1)' }, json },
    about: [
      'Reads the config file as `serve` would and prints every problem with its line and what to write instead, what may surprise you later, and the URIs to register at the provider.',
      'It changes nothing and asks nobody on the network. Exit code 0: fine. 1: the file has problems. 2: called wrongly.',
    ],
    examples: ['doorward check', 'doorward check --config staging.yaml --strict'],
    run: async (call) => (await import('./check.ts')).check(call),
  },
  {
    name: 'explain',
    summary: 'tell why a request would be let in, or not',
    options: {
      url: { value: 'URL', summary: 'what is asked for; a path alone is one of publicUrl' },
      method: { value: 'METHOD', summary: 'GET unless given' },
      as: { value: 'FILE', summary: 'who asks: a JSON file of claims of a login, or - for stdin' },
      token: { value: 'TOKEN', summary: 'who asks: a bearer token, or - to read it from stdin' },
      'no-verify': { summary: 'believe the token instead of verifying it' },
      address: { value: 'IP', summary: 'where the request comes from; 127.0.0.1 unless given' },
      config,
      json,
    },
    about: [
      'Asks the gate itself, with the rules of the config file. It prints the route that decides, each requirement with yes or no and the value it was judged by, and the verdict. Without --as and --token nobody is signed in.',
      'A token is verified as a request would be, which asks its issuer for keys. Give - rather than the token itself: what is typed on a command line can be read by others on the machine.',
      'Exit code 0: let in. 1: not. 2: called wrongly.',
    ],
    examples: [
      'doorward explain --url /admin --as ada.json',
      'echo "$TOKEN" | doorward explain --url /api/items --method POST --token -',
    ],
    run: async (call) => (await import('./explain.ts')).explainRequest(call),
  },
  {
    name: 'doctor',
    summary: 'look at a live set-up and name what is wrong with it',
    options: {
      user: { value: 'NAME', summary: 'sign in as this person, to look at real tokens' },
      password: { value: '-', summary: 'read their password from standard input' },
      ...adminOptions,
      through: { value: 'URL', summary: 'a protected page, through the gateway in front' },
      operations: { value: 'URL', summary: 'where the running process answers /status' },
      timeout: { value: 'TIME', summary: 'when to give up looking; 60s unless given' },
      strict: { summary: 'let warnings fail too (exit code 1)' },
      config,
      json,
    },
    about: [
      'Reads the config file and looks at what it names: the provider, the client there, the store, the upstreams, the gateway in front. Run it where the gateway runs, so that it sees the same network. It changes nothing and writes no file.',
      'Each finding has a name, a place, its cause, and what to do. What could not be seen is said at the end, with what would let it be seen.',
      'Passwords come from the environment: DOORWARD_DOCTOR_PASSWORD for --user, DOORWARD_ADMIN_PASSWORD for --admin-user, DOORWARD_ADMIN_CLIENT_SECRET for --admin-client; DOORWARD_ADMIN_TOKEN is the token of an administrator by itself.',
      'Exit code 0: nothing wrong. 1: an error was found (with --strict also a warning; a note never counts), or it was ended before it was done. 2: called wrongly.',
    ],
    examples: ['doorward doctor', 'doorward doctor --user ada --through https://grafana.example.com/'],
    run: async (call) => (await import('./doctor.ts')).doctor(call),
  },
  {
    name: 'setup',
    summary: 'make or repair the client at Keycloak as the file needs it',
    positionals: ['keycloak'],
    options: {
      plan: { summary: 'show what would change, and change nothing' },
      yes: { short: 'y', summary: 'change it without asking' },
      provider: { value: 'NAME', summary: 'which of several `providers:`' },
      'create-realm': { summary: 'make the realm too where it is missing' },
      'backchannel-url': { value: 'URL', summary: 'where Keycloak reaches us, if not at publicUrl' },
      'secret-file': { value: 'PATH', summary: "write the client's secret there, mode 0600" },
      force: { summary: 'let --secret-file replace another text' },
      ...adminOptions,
      config,
      json,
    },
    about: [
      'Looks at the realm of `provider.issuer` as an administrator, shows what differs from what the file needs, and changes that alone: client, redirect URIs, PKCE, logout, mappers, lost client scopes. What is there already and not of this file stays, and is named. A second run finds nothing to do.',
      'The administrator is --admin-user, --admin-client or DOORWARD_ADMIN_TOKEN. It needs the role manage-clients of the client realm-management. Secrets come from the environment, where `-` means standard input; none is ever printed.',
      'Exit code 0: as wanted. 1: it failed, or there are changes and nobody said yes. 2: called wrongly.',
    ],
    examples: [
      'doorward setup keycloak --admin-user admin --plan',
      'doorward setup keycloak --admin-client setup --yes --secret-file client-secret',
    ],
    run: async (call) => (await import('./keycloak/setup.ts')).setup(call),
  },
  {
    name: 'migrate',
    summary: 'write the config file from the settings of oauth2-proxy',
    positionals: ['oauth2-proxy'],
    rest: 'FLAGS',
    options: {
      cfg: { value: 'FILE', summary: 'its config file (TOML)' },
      'alpha-config': { value: 'FILE', summary: 'its alpha configuration (YAML)' },
      'env-file': { value: 'FILE', summary: 'OAUTH2_PROXY_* of a file, beside the environment' },
      'args-file': { value: 'FILE', summary: 'what starts it: a script, manifest, compose file, values' },
      'public-url': { value: 'URL', summary: 'where browsers reach it, if redirect-url does not say' },
      output: { value: 'FILE', short: 'o', summary: 'write there; standard output unless given' },
      force: { summary: 'let --output replace a file' },
    },
    about: [
      'Reads what oauth2-proxy is started with, merged as it would, and writes our file: behind each line the setting it comes from, at the end what has no equal and why. Secrets become references and are never written.',
      'What would weaken is not taken over. What only a person can decide, such as an e-mail domain of *, becomes a question, and the file does not start before it is answered.',
      'Exit code 0: the file can start. 1: questions are open, or it failed. 2: called wrongly.',
    ],
    examples: [
      'doorward migrate oauth2-proxy --cfg oauth2-proxy.cfg --output doorward.yaml',
      'doorward migrate oauth2-proxy --args-file deployment.yaml',
      'doorward migrate oauth2-proxy -- --provider=oidc --email-domain=example.com',
    ],
    run: async (call) => (await import('./migrate/oauth2-proxy.ts')).migrate(call),
  },
  {
    name: 'healthcheck',
    summary: 'ask the running process whether it is well',
    options: { config, ready: { summary: 'ask whether it takes traffic, not only whether it lives' } },
    about: [
      'For HEALTHCHECK of a container, and for probes that cannot ask over HTTP. It asks the `operations` listener that the config file names.',
      'Exit code 0: well. 1: not, or not running. 2: called wrongly.',
    ],
    examples: ['doorward healthcheck', 'doorward healthcheck --ready'],
    run: async (call) => (await import('./healthcheck.ts')).healthcheck(call),
  },
  {
    name: 'demo',
    summary: 'start a whole working world on this machine to try out',
    options: {
      port: { value: 'N', short: 'p', summary: '4180 unless given; where it is taken, the next free one' },
      verbose: { summary: 'show the log of the gateway' },
    },
    about: [
      'Starts an OpenID provider with two users, a small application, and Doorward in front of it. Open the address it prints, sign in, and look around. Only this machine can reach it, nothing is written to disk, and Ctrl-C ends all of it.',
    ],
    examples: ['doorward demo', 'doorward demo --port 8080 --verbose'],
    run: async (call) => (await import('./demo.ts')).demo(call),
  },
  {
    name: 'help',
    summary: 'explain a command, or a key of the config file',
    positionals: ['command', 'key'],
    options: {},
    about: [
      '`doorward help config` lists the keys of the config file; `doorward help config session.idle` explains one.',
    ],
    examples: ['doorward help serve', 'doorward help config routes.allow'],
    run: async (call) => (await import('./help.ts')).help(call),
  },
  {
    name: 'version',
    summary: 'print the version',
    options: { json },
    about: ['With --json also the version of Node and the platform, for a bug report.'],
    examples: ['doorward version', 'doorward version --json'],
    run: async (call) => (await import('./version.ts')).version(call),
  },
]

export const commandNamed = (name: string): Command | undefined => commands.find((command) => command.name === name)

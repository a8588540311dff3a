import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'

export const nginx: GatewayProduct = {
  name: 'nginx',
  part: 'nginx',
  version: { args: ['-v'], pattern: /nginx\/([\d.]+)/ },
  files: (places) => ({
    'nginx.conf': mainFile(places.folder),
    'app.conf': replaced(documentedFile('nginx', '/etc/nginx/conf.d/doorward.conf'), substitutions(places)),
  }),
  arguments: (folder) => ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr'],
  remarks: {},
}

const substitutions = (places: Places): [string, string][] => [
  ['listen 443 ssl', `listen 127.0.0.1:${places.port} ssl`],
  ['app.example.com', places.host],
  ['/etc/nginx/tls.crt', places.certificate],
  ['/etc/nginx/tls.key', places.key],
  ['127.0.0.1:4180', `127.0.0.1:${places.publicPort}`],
  ['127.0.0.1:4181', `127.0.0.1:${places.forwardAuthPort}`],
  ['127.0.0.1:3000', `127.0.0.1:${places.applicationPort}`],
  ['proxy_read_timeout 15s', 'proxy_read_timeout 1s'],
]

/** What a distribution has in /etc/nginx/nginx.conf, in a folder of our own. */
export const mainFile = (folder: string): string => `
user root;
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${folder}/client-body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  include ${folder}/app.conf;
}
`

/**
 * Every gateway with the file that its page shows, between browsers and an application. The table at the end is that of
 * docs/gateways/README.md; DOORWARD_UPDATE_GATEWAYS=1 writes it there.
 */
import { caddy } from './caddy.ts'
import { envoy } from './envoy.ts'
import { envoyGrpc } from './envoy-grpc.ts'
import { haproxy } from './haproxy.ts'
import { ingressNginx } from './ingress-nginx.ts'
import { nginx } from './nginx.ts'
import { askInTable } from './tabled.ts'
import { traefik } from './traefik.ts'
import { traefikIngressNginx } from './traefik-ingress-nginx.ts'

askInTable('table', [nginx, ingressNginx, caddy, haproxy, envoy, envoyGrpc, traefik, traefikIngressNginx])

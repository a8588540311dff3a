/** Controllers of Kubernetes, for real and without a cluster: the objects that the pages show, and all questions. */
import { contour } from './contour.ts'
import { envoyGateway, envoyGatewayGrpc } from './envoy-gateway.ts'
import { askInTable } from './tabled.ts'

askInTable('controllers', [envoyGateway, envoyGatewayGrpc, contour])

# An image that holds Node, the libraries it needs, and Doorward. No shell, no package manager, not root.
#
#   docker build -t doorward .
#   docker run --read-only -v "$PWD/doorward:/etc/doorward:ro" -p 4180:4180 doorward   # config.yaml is in that folder
#
# BASE may name a mirror or an image of your own, as long as it has Node 24 and npm in /usr/local.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS compile
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# The `node` package of development would bring a second Node along: no scripts of others run here.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN node_modules/.bin/tsc -p tsconfig.build.json --declaration false --sourceMap false \
  && cp src/http/ext-authz/*.proto dist/http/ext-authz/

FROM ${BASE} AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts \
  && find node_modules -type f \( -name '*.ts' -o -name '*.map' -o -name '*.md' -o -name '*.cts' -o -name '*.mts' \) ! -iname 'licen[cs]e*' -delete \
  && find node_modules -type d \( -name test -o -name tests -o -name benchmark -o -name benchmarks -o -name examples \) -prune -exec rm -rf {} + \
  && rm -rf node_modules/.package-lock.json \
  && find node_modules -type d -empty -delete

# Everything of the final image in one tree, with one date, so that equal sources make equal layers.
FROM ${BASE} AS tree
ARG SOURCE_DATE_EPOCH=0
WORKDIR /tree
RUN mkdir -p usr/local/bin app etc/doorward tmp \
  && cp /usr/local/bin/node usr/local/bin/node \
  && ldd /usr/local/bin/node | grep -o '/[^ ]*' | sort -u | while read -r library; do cp -L --parents "$library" .; done \
  && printf 'root:x:0:0::/:\ndoorward:x:65532:65532::/etc/doorward:\n' > etc/passwd \
  && printf 'root:x:0:\ndoorward:x:65532:\n' > etc/group \
  && printf 'hosts: files dns\n' > etc/nsswitch.conf
COPY --from=modules /app/node_modules app/node_modules
COPY --from=compile /build/dist app/dist
COPY package.json LICENSE CHANGELOG.md config.example.yaml config.schema.json app/
COPY bin app/bin
RUN chmod -R u=rwX,go=rX . && chmod 1777 tmp \
  && find . -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM scratch
COPY --from=tree /tree /
ARG VERSION=0.0.0
ARG REVISION=
LABEL org.opencontainers.image.title="Doorward" \
      org.opencontainers.image.description="Authenticating reverse proxy and forward-auth gateway for Keycloak and OpenID Connect" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
USER 65532:65532
EXPOSE 4180 4181 4182 9180
# The probe of the binary itself: it reads the same config file and asks its own operations listener.
HEALTHCHECK --interval=15s --timeout=5s --start-period=15s --retries=3 \
  CMD ["/usr/local/bin/node", "/app/bin/doorward.js", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/node", "/app/bin/doorward.js"]
CMD ["serve"]

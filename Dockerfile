# The image: Node, the libraries that it names, CA certificates, time zones and the bundle; no shell, nothing writable, nobody's user.
# `--build-arg WITH=pkcs11`: the same with what talks to a PKCS#11 token, docs/keys.md.
ARG BASE=node:24-slim
ARG WITH=build

FROM ${BASE} AS modules
WORKDIR /build
COPY package.json package-lock.json ./
# The image brings its own Node: the `node` package and esbuild's check are not needed here.
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM modules AS build
COPY tsconfig.json tsconfig.build.json LICENSE ./
COPY scripts/bundle.ts scripts/bundle-bom.ts scripts/rootfs.sh ./scripts/
COPY src ./src
RUN npm run --silent bundle && mv bundle /paycert && cp LICENSE /paycert/
# No inspector by signal: whoever may signal the process must not read its memory. A small young generation: a sidecar
# answers the same few things over and over, and keeps nothing of them.
ENV NODE_OPTIONS="--disable-sigusr1 --max-semi-space-size=4"
# Compiled code beside the source: a quicker start. It counts only for the same path, flags and user, so that user makes it.
# With a seed, two builds make the same bytes; the seed is no part of what it counts for.
USER 65532:65532
RUN NODE_COMPILE_CACHE=/tmp/compile-cache node --random-seed=1 --heap-growing-percent=100 /paycert/dist/cli/main.js --version
USER 0:0
# Copied by root: what runs in the image may read it, and owns nothing.
RUN cp -r /tmp/compile-cache /paycert/compile-cache && chmod -R u=rwX,go=rX /paycert && sh scripts/rootfs.sh /rootfs

# Built only where it is asked for: it needs a compiler, which no image keeps. The module of the token comes from its maker.
FROM modules AS addon
RUN apt-get -o Acquire::Retries=3 update && apt-get -o Acquire::Retries=3 install --yes --no-install-recommends g++ make python3
# The headers are those of the Node that is here.
RUN npm_config_nodedir=/usr/local npm run --silent addon && cd node_modules/pkcs11js && mkdir -p /addon/build/Release \
    && cp package.json index.js LICENSE /addon/ && cp build/Release/pkcs11.node /addon/build/Release/ && chmod -R u=rwX,go=rX /addon

FROM build AS pkcs11
COPY --from=addon /addon /paycert/node_modules/pkcs11js

FROM ${WITH} AS program

FROM scratch
LABEL org.opencontainers.image.title="paycert" \
      org.opencontainers.image.description="Hot reload for payment certificates and keys" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /rootfs /
COPY --from=program /paycert /paycert
ENV PATH=/usr/local/bin \
    NODE_ENV=production \
    NODE_COMPILE_CACHE=/paycert/compile-cache \
    # One arena a thread would keep memory that nobody uses.
    MALLOC_ARENA_MAX=2 \
    # scrypt takes 16 MB for a moment. Left to itself, the allocator learns from that to keep as much for ever.
    # V8's compiler takes 5 to 20 MB in its first minute of load, in pieces of 32 KiB: from that size on, what is freed goes back at once.
    MALLOC_MMAP_THRESHOLD_=32768 \
    MALLOC_TRIM_THRESHOLD_=1048576 \
    NODE_OPTIONS="--disable-sigusr1 --max-semi-space-size=4"
USER 65532:65532
# The next thorough collection of garbage when the heap has doubled, and not when it is four times as large: 20 MB less under load.
ENTRYPOINT ["node", "--heap-growing-percent=100", "/paycert/dist/cli/main.js"]
CMD ["--help"]

# Sotto's server for an NVIDIA card (driver 550 or newer):
#
#   docker build -t sotto .
#   docker run --gpus all -p 7860:7860 -v sotto:/data sotto
#
# The container can be reached from the network, so it wants a key: the first start makes one and prints it.
# To let everybody on this machine in instead: -p 127.0.0.1:7860:7860 -e SOTTO_INSECURE=1

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund
# ONNX Runtime's CUDA provider, by its package's own script.
RUN ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12

FROM nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04
COPY --from=build /usr/local/bin/node /usr/local/bin/node
RUN useradd --create-home --uid 10001 sotto && mkdir /data && chown sotto /data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/public public
COPY --from=build /app/dist dist
USER 10001
ENV SOTTO_HOST=0.0.0.0 SOTTO_MODELS=/data/models SOTTO_KEY_FILE=/data/keys.json SOTTO_MAKE_KEY=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7860/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "dist/node/sotto.js", "serve"]

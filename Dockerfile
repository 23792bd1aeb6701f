# A static binary and nothing else.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=${VERSION}" -o /out/sumun ./cmd/sumun \
 && mkdir -m 0700 /out/data /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
COPY --from=build /out/sumun /sumun
USER 65532:65532
ENV XDG_DATA_HOME=/data HOME=/data
VOLUME /data
# Inside the container all addresses count as beyond loopback: give --tls-cert and
# --tls-key, or --insecure-http where the network is yours alone.
ENTRYPOINT ["/sumun"]
CMD ["up", "--listen", "0.0.0.0:4566", "--dns", "0.0.0.0:5354", "--insecure-http"]

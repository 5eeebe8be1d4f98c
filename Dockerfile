# An image with one program in it: 40 MB, no shell, nothing to update but itself.
#
#   docker build -t consentgate .
#   docker run -v consentgate:/var/lib/consentgate -p 8080:8080 consentgate \
#       run --upstream http://origin.example:8080 --listen :8080 --admin 127.0.0.1:9090
#
# With a file: -v ./consentgate.yaml:/etc/consentgate/consentgate.yaml:ro and no
# arguments. It needs no capability and no writable root: add
# --read-only --cap-drop ALL --security-opt no-new-privileges.

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# .git comes along: the program knows its version from it.
COPY . .
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=auto -tags timetzdata -ldflags="-s -w" -o /out/root/consentgate ./cmd/consentgate
# What else the image holds: who signs certificates, and a place for data. Time zones
# are in the program (timetzdata).
RUN mkdir -p /out/root/etc/ssl/certs /out/data \
 && cp /etc/ssl/certs/ca-certificates.crt /out/root/etc/ssl/certs/

FROM scratch
COPY --from=build /out/root/ /
COPY --from=build --chown=65532:65532 /out/data /var/lib/consentgate
USER 65532:65532
# Where a relative --data is, so that nothing is kept outside the volume.
WORKDIR /var/lib/consentgate
VOLUME /var/lib/consentgate
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s CMD ["/consentgate", "health", "--admin", "127.0.0.1:9090"]
ENTRYPOINT ["/consentgate"]
CMD ["run", "--config", "/etc/consentgate/consentgate.yaml"]

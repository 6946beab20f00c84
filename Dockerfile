# One image for every role.
FROM rust:1-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
WORKDIR /build
COPY . .
RUN cargo build --release --locked -p issue-mirror

FROM debian:stable-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* && useradd --create-home mirror
COPY --from=build /build/target/release/issue-mirror /usr/local/bin/issue-mirror
USER mirror
ENTRYPOINT ["issue-mirror"]
CMD ["--help"]

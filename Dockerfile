# The server, with SQLite or PostgreSQL for ratings that last. /data holds the run, the store and compiled kernels.
FROM python:3.12-slim

WORKDIR /src
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY igmc ./igmc
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu '.[web,sql]' \
    && rm -rf /src \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin igmc \
    && install -d -o 10001 -g 10001 /data

WORKDIR /data
USER 10001:10001
VOLUME /data
ENV IGMC_HOME=/data/home PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp
EXPOSE 8000
# Kernels are compiled at the first start.
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:8000/api/ready'), timeout=4)"]
CMD ["igmc-serve", "--run", "/data/run", "--host", "0.0.0.0", "--port", "8000"]

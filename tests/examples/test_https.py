"""Reach the server by https: a stack has such an address, with a certificate that its own authority vouches for."""

import ssl


def test_an_httpx_client_by_https(letta_tls_client):
    assert letta_tls_client.get("/v1/health/").json()["status"] == "ok"


def test_the_address_and_whom_to_trust(letta_tls):
    assert letta_tls.url.startswith("https://")
    assert ssl.create_default_context(cafile=letta_tls.ca_file).get_ca_certs()

"""OpenVINO keeps the contract."""

from __future__ import annotations

from tests.backends.contract import BackendContract


class TestOpenVino(BackendContract):
    backend_id = "openvino"
    refused = "trees"

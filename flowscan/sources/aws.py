"""AWS credentials and clients, the same for every AWS source and for lakes on S3.

Invariant: credentials come from AWS's own chain (environment, profile, SSO, assumed role, web
identity, container and instance metadata), are asked for again before they expire, and never
stand in a message: errors are told by code and message only, without their chain.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flowscan.config import redact
from flowscan.errors import SourceError
from flowscan.sources.model import SourceOptions

__all__ = ["Bucket", "client", "explain", "session"]

T = TypeVar("T")
LIFETIME = timedelta(minutes=5)  # botocore renews in time; so often it is asked whether it did
STALE = ("ExpiredToken", "TokenRefreshRequired", "InvalidToken", "RequestExpired")
TRIES = 3
SILENCE = timedelta(seconds=30)  # a server that says nothing for so long is asked again
RETRYING = timedelta(seconds=90)  # or given up
REQUEST = timedelta(minutes=30)  # a large object on a slow line, but not for ever
_BROKEN = re.compile(r"response body|decoding|connection (?:closed|reset)", re.IGNORECASE)
_CODE = re.compile(r"<Code>([^<]{1,100})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")
_STATUS = re.compile(r"status code: (\d{3} [A-Za-z ]{1,40})")


def session(options: SourceOptions) -> Any:
    """A boto3 session of the credential chain, with `role_arn` assumed where given.

    Raises SourceError when the profile does not exist.
    """
    import boto3
    import botocore.exceptions
    import botocore.session

    # It warns of a renewal that failed with a traceback; the error itself is raised and told.
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    try:
        core = botocore.session.Session(profile=options.profile)
        if options.role_arn:
            core._credentials = _assumed(core, options)  # noqa: SLF001 - the documented way is none
        return boto3.Session(botocore_session=core, region_name=options.region_name)
    except botocore.exceptions.BotoCoreError as error:
        raise explain(error, options.profile) from None


def _assumed(core: Any, options: SourceOptions) -> Any:
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    source = core.get_credentials()
    if source is None:
        raise SourceError("no AWS credentials to assume the role with", where=options.role_arn)
    region = options.region_name or core.get_config_variable("region") or "us-east-1"

    def create_client(service: str, **more: Any) -> Any:
        return core.create_client(service, **{"region_name": region, **more})

    fetcher = AssumeRoleCredentialFetcher(
        create_client, source, options.role_arn, extra_args={"RoleSessionName": "flowscan"}
    )
    return DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )


def client(service: str, options: SourceOptions, *, of: Any = None) -> Any:
    """A boto3 client with retries, of a session of its own or the one given; thread-safe."""
    import botocore.exceptions
    from botocore.config import Config

    config = Config(
        retries={"max_attempts": 5, "mode": "standard"},
        connect_timeout=10,
        read_timeout=60,
        user_agent_extra="flowscan",
    )
    made = of or session(options)
    region = made.region_name or "us-east-1"
    try:
        return made.client(
            service, endpoint_url=options.endpoint_url, region_name=region, config=config
        )
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise explain(error, service) from None


def explain(error: Exception, where: str | None) -> SourceError:
    """The error of a client as one line: code and message, without anything secret."""
    response = getattr(error, "response", None)
    text = str(error)
    if isinstance(response, dict) and "Error" in response:
        details = response["Error"]
        what = f"{details.get('Code', '')}: {details.get('Message', '')}"
    elif code := _CODE.search(text):
        message = _MESSAGE.search(text)
        what = f"{code[1]}: {message[1]}" if message else code[1]
    elif status := _STATUS.search(text):
        what = status[1]
    else:
        what = text.split("\n\nDebug source", 1)[0].replace("\n", " ")[:300]
    hint = None
    if any(word in text for word in ("AccessDenied", "403 Forbidden", "InvalidAccessKeyId")):
        hint = "check the credentials and the permissions of the role"
    elif "from sso: Token has expired" in text:
        hint = "aws sso login"
    elif "Unable to locate credentials" in text:
        hint = "set a profile, a role or the usual AWS_ variables"
    return SourceError(redact(what), where=redact(where) if where else None, hint=hint)


class Bucket:
    """One bucket as an obstore store whose credentials are botocore's."""

    def __init__(self, name: str, options: SourceOptions) -> None:
        """Opens no connection, but may ask S3 for the bucket's region."""
        self.name = name
        self._options = options
        self._lock = threading.Lock()
        self._session = session(options)
        self._client = client("s3", options, of=self._session)
        self._endpoint = _custom_endpoint(self._client.meta.endpoint_url)
        self._region = self._find_region()
        self._store = self._open()

    @property
    def client(self) -> Any:
        """The boto3 client, for what obstore cannot do."""
        return self._client

    def call(self, work: Callable[[Any], T], key: str) -> T:
        """Does the work on the store, again when that may help.

        With fresh credentials when they had expired; after a connection that broke inside a body,
        which obstore does not try again by itself. Raises SourceError for what obstore raises.
        """
        import obstore.exceptions

        store = self._store
        for attempt in range(TRIES):
            try:
                return work(store)
            except (obstore.exceptions.BaseError, OSError) as error:
                text = str(error)
                stale = any(word in text for word in STALE)
                if attempt + 1 == TRIES or not (stale or _BROKEN.search(text)):
                    raise explain(error, f"s3://{self.name}/{key}") from None
                if stale:
                    store = self._renewed(store)
        raise AssertionError

    def _renewed(self, stale: Any) -> Any:
        with self._lock:
            if self._store is stale:  # else another thread was quicker
                self._session = session(self._options)
                self._client = client("s3", self._options, of=self._session)
                self._store = self._open()
            return self._store

    def _find_region(self) -> str:
        region = self._options.region_name or self._client.meta.region_name or "us-east-1"
        if self._endpoint or self._options.region_name:
            return str(region)
        import botocore.exceptions

        try:
            answer = self._client.head_bucket(Bucket=self.name)
        except botocore.exceptions.ClientError as error:
            headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            return str(headers.get("x-amz-bucket-region") or region)
        except botocore.exceptions.BotoCoreError as error:
            raise explain(error, f"s3://{self.name}") from None
        return str(answer.get("BucketRegion") or region)

    def filesystem(self) -> Any:
        """An fsspec file system with the same credentials, for tools that read s3:// URIs."""
        from obstore.fsspec import FsspecStore

        settings = self._settings()
        if "aws_endpoint_url_s3" in settings:  # the name that this class knows
            settings["endpoint"] = settings.pop("aws_endpoint_url_s3")
        return FsspecStore("s3", **settings)

    def _open(self) -> Any:
        from obstore.store import S3Store

        return S3Store(self.name, **self._settings())

    def _settings(self) -> dict[str, Any]:
        more: dict[str, Any] = {"credential_provider": _Credentials(self._session)}
        if self._endpoint:
            # Not `endpoint`: obstore reads the environment too, and this key goes before it.
            more["aws_endpoint_url_s3"] = self._endpoint
        if self._options.request_payer:
            more["request_payer"] = True
        return {
            "region": self._region,
            "virtual_hosted_style_request": not self._endpoint and "." not in self.name,
            "client_options": {
                "allow_http": (self._endpoint or "").startswith("http://"),
                "timeout": REQUEST,
                "read_timeout": SILENCE,
                "connect_timeout": timedelta(seconds=10),
                "user_agent": "flowscan",
            },
            "retry_config": {"max_retries": 6, "retry_timeout": RETRYING},
            **more,
        }


def _custom_endpoint(url: str) -> str | None:
    host = urlsplit(url).hostname or ""
    return None if host.endswith((".amazonaws.com", ".amazonaws.com.cn")) else url


class _Credentials:
    """Hands botocore's credentials to obstore; botocore renews them before they expire."""

    def __init__(self, made: Any) -> None:
        self._credentials = made.get_credentials()
        if self._credentials is None:
            raise SourceError(
                "no AWS credentials found", hint="set a profile, a role or the usual AWS_ variables"
            )
        self._frozen()  # a role that cannot be assumed is told now, not amid a listing

    def _frozen(self) -> Any:
        import botocore.exceptions

        try:
            return self._credentials.get_frozen_credentials()
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise explain(error, "AWS credentials") from None

    def __call__(self) -> dict[str, Any]:
        frozen = self._frozen()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + LIFETIME,
        }

"""HighLevel's constants in one place: what the vendor documents outside its OpenAPI document.

`client`, `auth`, `oauth` and `rate_limit` import them. `_runtime` receives them as values.
"""

from ._runtime.observed_limits import LimitHeaders
from ._runtime.protocols import ApiConventions, ErrorVocabulary
from ._version import __version__

# Environment variables.
TOKEN_VARIABLE = "LEADCONNECTOR_TOKEN"
BASE_URL_VARIABLE = "LEADCONNECTOR_BASE_URL"
CLIENT_ID_VARIABLE = "LEADCONNECTOR_CLIENT_ID"
CLIENT_SECRET_VARIABLE = "LEADCONNECTOR_CLIENT_SECRET"

USER_AGENT = f"leadconnector/{__version__}"

# https://marketplace.gohighlevel.com/docs/other/rate-limits: for each application and location.
RATE_LIMIT_REQUESTS = 100
RATE_LIMIT_SECONDS = 10.0

# https://marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide, "Security", as of August
# 2026: the base64 of an Ed25519 signature of the raw body. The vendor's Node SDK 3.0 reads the same
# header. Its predecessor, with an RSA signature, ended on September 1, 2026.
# Header names are in lower case.
WEBHOOK_SIGNATURE_HEADER = "x-ghl-signature"
WEBHOOK_LEGACY_HEADER = "x-wh-signature"
# Other receivers of these webhooks read this value as no signature. We know no document of the
# vendor that says so. It is no base64, so it is rejected in any case: only the message differs.
WEBHOOK_NO_SIGNATURE = "N/A"
# The guide contains this key in PEM. Here it is without the first and the last line.
WEBHOOK_PUBLIC_KEY = "MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg="
WEBHOOK_TYPE_PROPERTY = "type"
WEBHOOK_TIMESTAMP_PROPERTY = "timestamp"
WEBHOOK_ID_PROPERTY = "webhookId"
WEBHOOK_DATA_PROPERTY = "data"
# The vendor's "Webhook Authentication Guide", "Handling Replay Attacks", recommends five minutes.
WEBHOOK_MAXIMUM_AGE = 300.0

# Header names are in lower case, as in `RawResponse`.
RATE_LIMIT_MAX_HEADER = "x-ratelimit-max"
RATE_LIMIT_INTERVAL_HEADER = "x-ratelimit-interval-milliseconds"
RATE_LIMIT_REMAINING_HEADER = "x-ratelimit-remaining"
DAILY_LIMIT_HEADER = "x-ratelimit-limit-daily"
DAILY_REMAINING_HEADER = "x-ratelimit-daily-remaining"
# Not documented. The live API sends it, and the vendor's Node SDK 3.1 reads it.
DAILY_RESET_HEADER = "x-ratelimit-daily-reset"

LIMIT_HEADERS = LimitHeaders(
    limit=RATE_LIMIT_MAX_HEADER,
    interval=RATE_LIMIT_INTERVAL_HEADER,
    remaining=RATE_LIMIT_REMAINING_HEADER,
    daily_limit=DAILY_LIMIT_HEADER,
    daily_remaining=DAILY_REMAINING_HEADER,
    daily_reset=DAILY_RESET_HEADER,
)
"""The headers that `LeadConnector.rate_limit` shows."""

TOKEN_PATH = "/oauth/token"
"""The token endpoint, relative to the base URL."""

LOCATION_TOKEN_NAMES = {"2021-07-28": "locationToken", "v3": "location-token"}
"""The last part of the path for the tokens of a location, by version. It is beside `TOKEN_PATH`."""

LOCATION_TOKEN_SCOPE = "oauth.write"
"""The scope that the vendor documents for the tokens of a location."""

VERSION_HEADER = "Version"
"""The header of the token requests that require a version."""

AUTHORIZATION_PAGE = "https://marketplace.gohighlevel.com/oauth/chooselocation"
"""Where a user authorizes an application: https://marketplace.gohighlevel.com/docs/oauth.

The same page without the vendor's name is at https://marketplace.leadconnectorhq.com.
"""

DEFAULT_ACCESS_TOKEN_SECONDS = 86_400.0
"""The life of an access token if the token endpoint does not state it: the documented day."""

ERROR_VOCABULARY = ErrorVocabulary(
    # HighLevel's services send NestJS's `message` and `error`, and class-validator's `constraints`
    # and `children`. OAuth sends `error_description` (RFC 6749, section 5.2). RFC 9457 has `title`
    # and `detail`, FastAPI `detail` and `msg`, GraphQL and JSON:API `errors`, Spring
    # `defaultMessage`, Google's APIs `details` and `description`, zod `issues`, .NET
    # `ExceptionMessage`, and SOAP gateways `faultstring`.
    explanation_names=frozenset(
        {
            "cause",
            "children",
            "constraints",
            "defaultmessage",
            "description",
            "detail",
            "details",
            "developermessage",
            "err",
            "errmsg",
            "error",
            "errordescription",
            "errordetail",
            "errordetails",
            "errormessage",
            "errormessages",
            "errormsg",
            "errors",
            "exception",
            "exceptionmessage",
            "explanation",
            "failure",
            "fault",
            "faultstring",
            "fielderrors",
            "hint",
            "info",
            "invalidparams",
            "issues",
            "localizedmessage",
            "message",
            "messages",
            "msg",
            "nonfielderrors",
            "problem",
            "problems",
            "reason",
            "reasons",
            "statusmessage",
            "text",
            "title",
            "usermessage",
            # joi: an object for each part of the request.
            "validation",
            "validationerrors",
            "violations",
            "warning",
            "warnings",
        }
    ),
    explanation_prefixes=("error",),
    explanation_suffixes=("error", "errors", "errormessage", "messages", "reason"),
    field_map_names=frozenset({"constraints", "errors", "fielderrors", "validationerrors"}),
    # The error page of a gateway or a client library can wrap the error of the API.
    wrapper_names=frozenset({"data", "meta", "response", "responsemetadata", "result"}),
    identifier_names=frozenset(
        {
            "code",
            "context",
            "ctx",
            "domain",
            "errorcode",
            "expected",
            "extensions",
            "field",
            "id",
            "input",
            "instance",
            "key",
            "kind",
            "loc",
            "location",
            "locations",
            "name",
            "param",
            "parameter",
            "path",
            "pointer",
            "property",
            "received",
            "rejectedvalue",
            "request",
            "requestid",
            "rule",
            "severity",
            "source",
            "stack",
            "status",
            "statuscode",
            "target",
            "timestamp",
            "traceid",
            "type",
            "url",
            "value",
        }
    ),
)
"""The property names in the bodies of errors: those of the vendor, and those of common servers."""

CONVENTIONS = ApiConventions(
    # The vendor documents no such header. The first two are customary. `cf-ray` is from Cloudflare,
    # which serves the API.
    request_id_headers=("x-request-id", "x-trace-id", "cf-ray"),
    request_id_property="traceId",
    error_vocabulary=ERROR_VOCABULARY,
    daily_remaining_header=DAILY_REMAINING_HEADER,
    daily_reset_header=DAILY_RESET_HEADER,
    interval_header=RATE_LIMIT_INTERVAL_HEADER,
    wait_after_429=RATE_LIMIT_SECONDS,
)

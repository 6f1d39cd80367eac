"""The Django project: its settings, its addresses, the users and the applications that are registered."""

import secrets
from pathlib import Path

import django
from django.conf import settings
from jwcrypto.jwk import JWK

# What becomes of a refresh token that is used, by the settings that django-oauth-toolkit has for it. "plain" is what
# a server gets whose administrator sets nothing.
ROTATIONS = {
    "none": {"ROTATE_REFRESH_TOKEN": False},
    "plain": {},
    "grace": {"REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 600},
    "strict": {"REFRESH_TOKEN_REUSE_PROTECTION": True},
}

SCOPES = {
    "openid": "Sign you in",
    "profile": "See your name",
    "email": "See your email address",
    "read": "Read your data",
    "write": "Change your data",
}

USERS = {"ada": ("Ada", "Lovelace"), "grace": ("Grace", "Hopper")}

# A redirect URI holds the provider's name, and a server compares it whole except for the port of a loopback address.
NAMES = ["django", "django-confidential"]
REDIRECTS = [
    f"{start}/cb/{name}"
    for name in NAMES
    for start in ["http://127.0.0.1", "http://[::1]", "io.github.tokenry:"]
]


def configure(access_token_ttl, issuer, rotation):
    key = JWK.generate(kty="RSA", size=2048)
    settings.configure(
        SECRET_KEY=secrets.token_urlsafe(32),
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="addresses",
        USE_TZ=True,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [Path(__file__).parent / "templates"],
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        # Tables are made from the models as they are: a database in memory has no past to migrate from.
        MIGRATION_MODULES={name: None for name in ["auth", "contenttypes", "sessions", "oauth2_provider"]},
        # Secrets are random and live as long as this process; a slow hash would only slow the tests down.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
        },
        OAUTH2_PROVIDER={
            "SCOPES": SCOPES,
            "DEFAULT_SCOPES": ["read"],
            "ACCESS_TOKEN_EXPIRE_SECONDS": access_token_ttl,
            "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "io.github.tokenry"],
            "OAUTH2_VALIDATOR_CLASS": "claims.Validator",
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": issuer,
            "OIDC_RSA_PRIVATE_KEY": key.export_to_pem(private_key=True, password=None).decode(),
            **ROTATIONS[rotation],
        },
    )


def build(issuer, access_token_ttl, rotation):
    """The WSGI application, and what a client has to know of it."""
    configure(access_token_ttl, issuer, rotation)
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", run_syncdb=True, verbosity=0)
    users, clients = register_users(), register_clients()
    return get_wsgi_application(), {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize/",
        "token_endpoint": f"{issuer}/token/",
        "userinfo_endpoint": f"{issuer}/userinfo/",
        "revocation_endpoint": f"{issuer}/revoke_token/",
        "introspection_endpoint": f"{issuer}/introspect/",
        "users": users,
        "clients": clients,
    }


def register_users():
    from django.contrib.auth import get_user_model

    users = []
    for name, (first, last) in USERS.items():
        password = secrets.token_urlsafe(12)
        get_user_model().objects.create_user(
            name,
            f"{first}.{last}@example.com".lower(),
            password,
            first_name=first,
            last_name=last,
        )
        users.append({"name": name, "password": password})
    return users


def register_clients():
    from oauth2_provider.models import Application

    def register(client_id, client_type, grant, **more):
        secret = "" if client_type == Application.CLIENT_PUBLIC else secrets.token_urlsafe(24)
        Application.objects.create(
            client_id=client_id,
            client_secret=secret,
            client_type=client_type,
            authorization_grant_type=grant,
            name="Tokenry",
            **more,
        )
        return {"client_id": client_id, "client_secret": secret}

    code = {"redirect_uris": " ".join(REDIRECTS), "algorithm": Application.RS256_ALGORITHM}
    public, confidential = Application.CLIENT_PUBLIC, Application.CLIENT_CONFIDENTIAL
    return [
        register("tokenry-django", public, Application.GRANT_AUTHORIZATION_CODE, **code),
        register("tokenry-django-confidential", confidential, Application.GRANT_AUTHORIZATION_CODE, **code),
        register("tokenry-django-service", confidential, Application.GRANT_CLIENT_CREDENTIALS),
    ]

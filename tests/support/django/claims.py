"""What an id_token and the userinfo endpoint say about a user."""

from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    oidc_claim_scope = None

    def get_additional_claims(self, request):
        return {
            "name": request.user.get_full_name(),
            "preferred_username": request.user.get_username(),
            "email": request.user.email,
        }

"""A program that uses Google's library: prints the access token for a credential configuration, or the library's error.

    python client.py FILE
"""

import json
import sys

from google.auth import pluggable
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

# google.auth.default would look up the project at Google, too.
credentials = pluggable.Credentials.from_file(sys.argv[1], scopes=["https://www.googleapis.com/auth/cloud-platform"])
try:
    credentials.refresh(Request())
except GoogleAuthError as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({"token": credentials.token}))

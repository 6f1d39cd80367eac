//! Client authentication.

use crate::answer::Answer;
use crate::behaviour::{Client, ClientAuth};
use crate::call::Call;

/// The client a request says it is from, and how it means to prove that.
pub(crate) fn claimed(call: &Call) -> (Option<String>, Option<ClientAuth>) {
    match call.basic() {
        Some((id, _)) => (Some(id), Some(ClientAuth::Basic)),
        None => {
            let id = call.get("client_id").map(str::to_owned);
            let auth = if call.get("client_secret").is_some() {
                ClientAuth::Post
            } else {
                ClientAuth::None
            };
            (id.clone(), id.is_some().then_some(auth))
        }
    }
}

/// The client, when it proved who it is in its one registered way (RFC 6749 §2.3).
pub(crate) fn authenticate(clients: &[Client], call: &Call) -> Result<Client, Answer> {
    let refused =
        || Answer::error(401, "invalid_client").header("www-authenticate", "Basic realm=\"testkit\"");
    if let Some((name, _)) = call.basic().filter(|(_, password)| password.is_empty())
        && let Some(client) = clients
            .iter()
            .find(|client| client.secret.as_ref() == Some(&name))
        && client.auth == ClientAuth::UserName
        && call.get("client_secret").is_none()
    {
        return Ok(client.clone());
    }
    let (id, auth) = claimed(call);
    let client = clients
        .iter()
        .find(|client| Some(&client.id) == id.as_ref())
        .ok_or_else(refused)?;
    if auth != Some(client.auth) || (auth == Some(ClientAuth::Basic) && call.get("client_secret").is_some()) {
        return Err(refused());
    }
    let secret = match client.auth {
        ClientAuth::Basic => call.basic().map(|(_, secret)| secret),
        ClientAuth::Post => call.get("client_secret").map(str::to_owned),
        ClientAuth::UserName | ClientAuth::None => None,
    };
    if secret == client.secret {
        Ok(client.clone())
    } else {
        Err(refused())
    }
}

//! The protocol of pizauth: a command and its argument up to the end of what the client writes, and one answer.

use super::{
    connection::{Client, Progress},
    tokens::{Account, Requester, Wish},
};
use std::io;
use zeroize::Zeroizing;

/// Serves one request.
pub(super) async fn serve(mut client: Client, requester: &Requester) -> io::Result<()> {
    let request = client
        .read(|bytes, is_last| {
            Ok(match is_last {
                true => Progress::Complete(Request::read(bytes)),
                false => Progress::Incomplete,
            })
        })
        .await?;
    let answer = client.while_connected(answer(&request, requester)).await?;
    client.write(answer.as_bytes()).await
}

#[derive(Debug, PartialEq, Eq)]
enum Request {
    /// `showtoken:withurl ACCOUNT`
    Token(String),
    /// `refresh:withurl ACCOUNT`
    Refresh(String),
    /// `status:`
    Status,
    Other,
}

impl Request {
    fn read(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let (command, rest) = text.split_once(':').unwrap_or_default();
        let account = || {
            let (how, account) = rest.split_once(' ')?;
            let is_name = !account.is_empty() && !account.contains(|c: char| c.is_control());
            (matches!(how, "withurl" | "withouturl") && is_name).then(|| account.to_owned())
        };
        match command {
            "showtoken" => account().map_or(Self::Other, Self::Token),
            "refresh" => account().map_or(Self::Other, Self::Refresh),
            "status" if rest.is_empty() => Self::Status,
            _ => Self::Other,
        }
    }
}

async fn answer(request: &Request, requester: &Requester) -> Zeroizing<String> {
    let token = async |account: &str, renew| {
        let wish = Wish {
            renew,
            ..Wish::default()
        };
        requester.token(Account::Named(account), wish).await
    };
    let answered = match request {
        Request::Token(account) => token(account, false).await.map(|issued| {
            let token = issued.token.access_token;
            let mut text = Zeroizing::new(String::with_capacity(token.expose().len() + 16));
            *text += "access_token:";
            *text += token.expose();
            text
        }),
        Request::Refresh(account) => token(account, true)
            .await
            .map(|_| Zeroizing::new("scheduled:".to_owned())),
        Request::Status => requester.accounts().await.map(|accounts| {
            let lines: Vec<_> = accounts
                .iter()
                .map(|name| format!("{name}: see `tokenry status {name}`"))
                .collect();
            Zeroizing::new(format!("ok:{}", lines.join("\n")))
        }),
        Request::Other => {
            let text =
                "error:Tokenry answers no such request; it shows tokens, refreshes them and lists accounts";
            return Zeroizing::new(text.to_owned());
        }
    };
    answered
        .unwrap_or_else(|error| Zeroizing::new(format!("error:{}", crate::envelope(&error).error.message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_command_and_an_account_and_anything_else_is_none() {
        let read = |text: &[u8]| Request::read(text);
        assert_eq!(
            read(b"showtoken:withurl mail work"),
            Request::Token("mail work".to_owned())
        );
        assert_eq!(
            read(b"refresh:withouturl mail"),
            Request::Refresh("mail".to_owned())
        );
        assert_eq!(read(b"status:"), Request::Status);
        for other in [
            &b""[..],
            b"showtoken",
            b"showtoken:mail",
            b"showtoken:withurl ",
            b"showtoken:with mail",
            b"status:x",
            b"showtoken:withurl a\nb",
            b"showtoken:withurl a\0",
            b"showtoken:withurl \xff",
            b"shutdown:",
            b"dump:",
            b":",
        ] {
            assert_eq!(read(other), Request::Other, "{other:?}");
        }
    }
}

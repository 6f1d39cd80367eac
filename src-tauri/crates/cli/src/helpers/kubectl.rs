//! The exec plugin of kubectl and other Kubernetes clients (client.authentication.k8s.io, `v1` and `v1beta1`).

use super::address::is_plain;
use super::id_token::end_of;
use super::repeated;
use super::served::{Use, bearer};
use crate::commands::token;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::{Output, write_out};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokenry_contract::{Connection, ErrorCode, TokenAnswer, TokenRequest};
use zeroize::Zeroizing;

/// The variable in which a client says what it needs.
const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

/// The versions of the protocol whose answer is the same.
const VERSIONS: [&str; 2] = [
    "client.authentication.k8s.io/v1",
    "client.authentication.k8s.io/v1beta1",
];

/// What a client needs. Fields that are not needed are ignored: a cluster's certificate is one.
#[derive(Deserialize)]
struct ExecInfo {
    #[serde(rename = "apiVersion")]
    version: String,
    kind: String,
    #[serde(default)]
    spec: ExecSpec,
}

#[derive(Deserialize, Default)]
struct ExecSpec {
    cluster: Option<Cluster>,
}

#[derive(Deserialize)]
struct Cluster {
    #[serde(default)]
    server: String,
}

/// Answers with a token of a connection, or of the one that serves the cluster.
pub(crate) fn run(
    connection: Option<&str>,
    id_token: bool,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let text = std::env::var_os(EXEC_INFO).ok_or_else(|| unreadable("it is not set"))?;
    let text = text.to_str().ok_or_else(|| unreadable("it is not UTF-8"))?;
    let info = ExecInfo::read(text)?;
    let name = match connection {
        Some(name) => name.to_owned(),
        None => info.connection(engine)?,
    };
    let request = TokenRequest {
        id_token: id_token.then_some(true),
        ..TokenRequest::default()
    };
    let asked = || Credential::of(bearer(&name, &request, engine)?);
    let mut credential = asked()?;
    let folder = engine.socket().parent();
    let call = [text, &name, if id_token { "id token" } else { "" }].join("\n");
    let is_repeated = |credential: &Credential| {
        folder.is_some_and(|folder| repeated::is_rejected(folder, &call, credential.shown()))
    };
    if is_repeated(&credential) && is_refreshable(&name, engine) {
        match token::rejected(&name, &credential.answer.access_token, engine) {
            Ok(_) => {
                credential = asked()?;
                is_repeated(&credential);
            }
            // The client may have another reason to ask again, so it gets the token that there is.
            Err(failure) => output.say(&failure.line()),
        }
    }
    write_out(&credential.response(&info.version))
}

/// A report about another connection would only mark it for a new sign-in.
fn is_refreshable(name: &str, engine: &Engine) -> bool {
    let connection: Result<Connection, _> = engine.get(&["v1", "connections", name]);
    connection.is_ok_and(|connection| connection.refreshable)
}

impl ExecInfo {
    fn read(text: &str) -> Result<Self, Failure> {
        // An error of serde_json could quote what it read.
        let info: Self = serde_json::from_str(text).map_err(|_| unreadable("it is not an ExecCredential"))?;
        if info.kind != "ExecCredential" {
            return Err(unreadable("it is not an ExecCredential"));
        }
        if !VERSIONS.contains(&info.version.as_str()) {
            return Err(Failure::new(
                ErrorCode::ValidationError,
                format!("The apiVersion in {EXEC_INFO} is unknown."),
                format!(
                    "Set apiVersion in the exec entry of your kubeconfig: {}",
                    VERSIONS[0]
                ),
            ));
        }
        Ok(info)
    }

    fn server(&self) -> Result<&str, Failure> {
        let server = self.spec.cluster.as_ref().map(|cluster| cluster.server.as_str());
        let Some(server) = server.filter(|server| !server.is_empty()) else {
            return Err(Failure::new(
                ErrorCode::ValidationError,
                "The client names no cluster.",
                "In the exec entry of your kubeconfig, set `provideClusterInfo: true`, or add `--connection=NAME` to args.",
            ));
        };
        if !is_plain(server) {
            return Err(unreadable("the cluster's address holds an unexpected character"));
        }
        Ok(server)
    }

    /// The connection that serves the cluster.
    fn connection(&self, engine: &Engine) -> Result<String, Failure> {
        let server = self.server()?;
        let serving = Use::new(server, &["api"]).connection(engine)?.ok_or_else(|| {
            Failure::new(
                ErrorCode::NotFound,
                format!("No connection serves {server}."),
                format!("Run `tokenry bind {server} --connection NAME`."),
            )
        })?;
        Ok(serving.connection_id.to_string())
    }
}

fn unreadable(why: &str) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        format!("The variable {EXEC_INFO} cannot be read: {why}."),
        "kubectl runs this command; you need not.",
    )
}

/// What the client gets.
struct Credential {
    answer: TokenAnswer,
    /// Seconds since 1970.
    ends_at: Option<i64>,
}

impl Credential {
    fn of(answer: TokenAnswer) -> Result<Self, Failure> {
        let ends_at = match &answer.id_token {
            Some(token) if token.contains(|c: char| c.is_control()) => {
                return Err(Failure::invalid_response(
                    "the ID token holds a control character",
                ));
            }
            Some(token) => end_of(token),
            None => answer.expires_at.map(Timestamp::as_second),
        };
        Ok(Self { answer, ends_at })
    }

    fn shown(&self) -> &str {
        self.answer
            .id_token
            .as_deref()
            .unwrap_or(&self.answer.access_token)
    }

    fn response(&self, version: &str) -> Zeroizing<Vec<u8>> {
        let mut status = json!({ "token": self.shown() });
        let end = self.ends_at.map(Timestamp::from_second);
        if let Some(Ok(end)) = end {
            status["expirationTimestamp"] = end.to_string().into();
        }
        let response = json!({"apiVersion": version, "kind": "ExecCredential", "status": status});
        Zeroizing::new(format!("{response}\n").into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(spec: &str) -> String {
        format!(r#"{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{spec}}}"#)
    }

    #[test]
    fn the_cluster_is_named_by_its_address() {
        let text = info(
            r#"{"interactive":false,"cluster":{"server":"https://k.example:6443","certificate-authority-data":"eA=="},"new":1}"#,
        );
        assert_eq!(
            ExecInfo::read(&text).unwrap().server().unwrap(),
            "https://k.example:6443"
        );
        for spec in [
            r#"{"interactive":true}"#,
            r#"{"cluster":null}"#,
            r#"{"cluster":{}}"#,
            r#"{"cluster":{"server":""}}"#,
            r#"{"cluster":{"server":"https://evil@k.example"}}"#,
            r#"{"cluster":{"server":"https://k.example\nhttps://evil.example"}}"#,
            r#"{"cluster":{"server":"https://k.example\r"}}"#,
            r#"{"cluster":{"server":"https://k.example\u0000"}}"#,
            r#"{"cluster":{"server":"https://k.example\\@evil.example"}}"#,
        ] {
            assert!(ExecInfo::read(&info(spec)).unwrap().server().is_err(), "{spec}");
        }
    }

    #[test]
    fn a_request_of_another_kind_or_version_is_refused_without_repeating_it() {
        let good = info("{}");
        assert!(ExecInfo::read(&good).is_ok());
        for text in [
            good.replace("/v1", "/v1alpha1"),
            good.replace("/v1", "/v2"),
            good.replace("k8s.io/v1", "S3cr3t"),
            good.replace("\"ExecCredential\"", "\"S3cr3t\""),
            good.replace(
                "\"ExecCredential\"",
                "\"ExecCredential\",\"kind\":\"ExecCredential\"",
            ),
            info("[\"S3cr3t\"]"),
            info(r#"{"cluster":{"server":["S3cr3t"]}}"#),
            info(r#"{"cluster":{"server":"a","server":"b"}}"#),
            format!("{good}{good}"),
            "[".repeat(10_000),
            String::new(),
        ] {
            let failure = ExecInfo::read(&text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(!failure.line().contains("S3cr3t"), "{text}");
        }
    }
}

//! `tokenry mcp-server`: an MCP server through which an agent uses connections and never sees a token.
//!
//! What must never be true of it: that a tool answers with a token, or sends a request to an address that the connection
//! does not serve.

mod request;
mod tools;
mod transport;

use crate::arguments::McpServerArguments;
use crate::engine::{Engine, path};
use crate::failure::Failure;
use request::ApiRequest;
use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest, CustomResult,
    ErrorCode as RpcErrorCode, Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer, ServiceExt};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokenry_contract::{
    AuthorizeAnswer, AuthorizeRequest, Connection, ErrorCode, GrantType, OAuthProvider, Success,
};
use transport::LineTransport;

const INSTRUCTIONS: &str = "Use the accounts that the user connected in Tokenry. Tokens are added to requests and are never \
                            shown. The user is asked for permission, so a call may take a minute. Do not repeat a call that \
                            the user denied.";

/// The methods of this server that have parameters.
const METHODS: [&str; 4] = ["initialize", "server/discover", "tools/call", "tools/list"];

/// Serves one client over the standard streams, until it closes them.
///
/// # Errors
/// When the client does not speak MCP.
pub(crate) async fn run(arguments: McpServerArguments) -> Result<(), Failure> {
    let engine = Engine::new(arguments.app_token_file.as_deref())?;
    let agent = Agent {
        engine: Arc::new(engine),
    };
    let broken = |what: &str| Failure::usage(format!("{what}; MCP clients run this command, you need not"));
    let running = agent
        .serve(LineTransport::new(tokio::io::stdin(), tokio::io::stdout()))
        .await
        .map_err(|_| broken("the client on standard input does not speak MCP"))?;
    running
        .waiting()
        .await
        .map_err(|_| broken("the connection to the client broke"))?;
    Ok(())
}

/// What one client may do.
struct Agent {
    engine: Arc<Engine>,
}

impl ServerHandler for Agent {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("tokenry", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(call.arguments.unwrap_or_default());
        let done = match &*call.name {
            tools::LIST => self.connections().await,
            tools::REQUEST => self.request(read(arguments)?).await,
            tools::SIGN_IN => self.sign_in(read(arguments)?).await,
            _ => {
                return Err(ErrorData::invalid_params(
                    "There is no tool with this name.",
                    None,
                ));
            }
        };
        let result = match done {
            Ok(answer) => CallToolResult::success(vec![ContentBlock::text(answer.to_string())]),
            // The model reads what went wrong, and what to do.
            Err(failure) => CallToolResult::error(vec![ContentBlock::text(failure.line())]),
        };
        Ok(result.into())
    }

    /// `rmcp` passes on every method that it does not know, and those whose parameters it cannot read.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(match METHODS.contains(&&*request.method) {
            true => ErrorData::invalid_params("The parameters do not fit the method.", None),
            false => ErrorData::new(RpcErrorCode::METHOD_NOT_FOUND, "Unknown method", None),
        })
    }
}

/// The arguments of a tool. An error does not quote them.
fn read<T: for<'de> Deserialize<'de>>(arguments: Value) -> Result<T, ErrorData> {
    serde_json::from_value(arguments)
        .map_err(|_| ErrorData::invalid_params("The arguments do not fit the tool's schema.", None))
}

/// The arguments of the tool that starts a sign-in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    connection: String,
}

impl Agent {
    async fn connections(&self) -> Result<Value, Failure> {
        let connections: Vec<Connection> = self.engine.get("/v1/connections").await?;
        let shown = connections.iter().map(|one| {
            json!({
                "connection": one.name,
                "provider": one.provider_name,
                "account": one.account.as_ref().and_then(|account| account.name.clone().or_else(|| account.email.clone())),
                "status": one.status,
                "scopes": one.scopes,
            })
        });
        Ok(shown.collect::<Vec<_>>().into())
    }

    async fn request(&self, request: ApiRequest) -> Result<Value, Failure> {
        request.send(self.engine.clone()).await
    }

    /// Starts a sign-in in the user's browser, and does not wait for its end.
    async fn sign_in(&self, wish: SignIn) -> Result<Value, Failure> {
        let target = path(&["v1", "connections", &wish.connection]);
        let found: Result<Connection, Failure> = self.engine.get(&target).await;
        let connection = found.map_err(|failure| match failure.code() {
            Some(ErrorCode::NotFound) => Failure::new(
                ErrorCode::NotFound,
                "There is no connection with this name.",
                "The tool list_connections names them.",
            ),
            _ => failure,
        })?;
        let provider = connection.provider_id.to_string();
        let target = path(&["v1", "oauth-providers", &provider]);
        let settings: OAuthProvider = self.engine.get(&target).await?;
        if settings.settings.grant_type == GrantType::ClientCredentials {
            return Err(Failure::new(
                ErrorCode::ValidationError,
                "This connection has no sign-in: it uses client credentials.",
                "Ask the user to check the provider in Tokenry.",
            ));
        }
        let request = AuthorizeRequest {
            connection: Some(connection.id.to_string()),
            ..AuthorizeRequest::default()
        };
        let target = path(&["v1", "oauth-providers", &provider, "authorize"]);
        let answer: AuthorizeAnswer = self.engine.post(&target, &request).await?;
        let open = path(&["v1", "flows", &answer.flow_id.to_string(), "open"]);
        let opened: Result<Success, Failure> = self.engine.post(&open, &json!({})).await;
        Ok(json!({
            "status": "waiting for the user",
            "browser_opened": opened.is_ok(),
            "next": if opened.is_ok() {
                "The user signs in in the browser that was opened. list_connections shows when it is done."
            } else {
                "No browser could be opened. The user finds the sign-in in the Tokenry window."
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    #[tokio::test]
    async fn a_session_goes_on_after_invalid_lines_and_names_what_is_wrong_with_a_call() {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let (input, output) = tokio::io::split(server);
        let agent = Agent {
            engine: Arc::new(Engine::new(None).unwrap()),
        };
        tokio::spawn(async move {
            agent
                .serve(LineTransport::new(input, output))
                .await?
                .waiting()
                .await
                .map_err(drop)
                .ok();
            Ok::<_, rmcp::service::ServerInitializeError>(())
        });
        let (answers, mut client) = tokio::io::split(client);
        let mut answers = BufReader::new(answers).lines();
        let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"},
        }});
        let notification = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        for (line, id, code) in [
            ("garbage", Value::Null, Some(-32_700)),
            (&*format!("{notification}\n{initialize}"), 0.into(), None),
            ("{", Value::Null, Some(-32_700)),
            ("[]", Value::Null, Some(-32_600)),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#,
                1.into(),
                Some(-32_602),
            ),
            (
                r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"arguments":{}}}"#,
                2.into(),
                Some(-32_602),
            ),
            (
                r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"x"}}"#,
                3.into(),
                Some(-32_602),
            ),
            (
                r#"{"jsonrpc":"2.0","id":4,"method":"x","params":{}}"#,
                4.into(),
                Some(-32_601),
            ),
            (
                r#"{"jsonrpc":"2.0","id":5,"method":"tools/list"}"#,
                5.into(),
                None,
            ),
        ] {
            client.write_all(format!("{line}\n").as_bytes()).await.unwrap();
            let answer: Value = serde_json::from_str(&answers.next_line().await.unwrap().unwrap()).unwrap();
            assert_eq!(answer.get("id"), Some(&id), "{line}: {answer}");
            assert_eq!(answer["error"]["code"].as_i64(), code, "{line}: {answer}");
        }
    }
}

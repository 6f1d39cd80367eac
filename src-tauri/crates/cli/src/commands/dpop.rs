//! `tokenry dpop`: prints a proof for one request with a bound token.

use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::names::{self, Kind};
use crate::output::Output;
use crate::token_args::DpopArgs;
use tokenry_contract::{DpopProof, DpopRequest};

pub(crate) fn run(args: &DpopArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let request = DpopRequest {
        method: args.method.clone(),
        url: args.url.clone(),
        nonce: args.nonce.clone(),
        ath: args.ath.clone(),
    };
    let segments = ["v1", "connections", &args.name, "dpop"];
    let proof: DpopProof = engine
        .send_body(Method::Post, &segments, &request)
        .map_err(|failure| names::explain(failure, engine, Kind::Connection, &args.name))?;
    output.data(&proof, |_| format!("{}\n", proof.proof))
}

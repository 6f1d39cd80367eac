//! One list of operations, read in two ways: as a router, which an engine makes when it starts, and as the OpenAPI
//! document, which is made once and committed. What only describes is then no part of the programs: it was half a
//! mebibyte of an engine that idles.

use axum::{Router, routing::MethodRouter};
use tokenry_engine::Engine;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// One path's operations, in both ways. Whichever is not asked for is not compiled in.
pub(crate) struct Path<P, D> {
    pub(crate) plain: P,
    pub(crate) described: D,
}

/// What becomes of the list.
pub(crate) trait Operations: Sized {
    /// Adds the operations of one path, as [`routes!`] names them.
    fn routes<P, D>(self, path: Path<P, D>) -> Self
    where
        P: FnOnce() -> (String, MethodRouter<Engine>),
        D: FnOnce() -> UtoipaMethodRouter<Engine>;
}

impl Operations for Router<Engine> {
    fn routes<P, D>(self, path: Path<P, D>) -> Self
    where
        P: FnOnce() -> (String, MethodRouter<Engine>),
        D: FnOnce() -> UtoipaMethodRouter<Engine>,
    {
        let (path, methods) = (path.plain)();
        self.route(&path, methods)
    }
}

impl Operations for OpenApiRouter<Engine> {
    fn routes<P, D>(self, path: Path<P, D>) -> Self
    where
        P: FnOnce() -> (String, MethodRouter<Engine>),
        D: FnOnce() -> UtoipaMethodRouter<Engine>,
    {
        self.routes((path.described)())
    }
}

/// The handlers of one path; each says in its `utoipa::path` which method it is for.
macro_rules! routes {
    ($first:ident $(, $more:ident)*) => {
        $crate::operations::Path {
            plain: || utoipa_axum::paste! {{
                use utoipa::Path as _;
                let router = axum::routing::MethodRouter::new();
                let router = $crate::operations::on(router, [<__path_ $first>]::methods(), $first);
                $(let router = $crate::operations::on(router, [<__path_ $more>]::methods(), $more);)*
                ([<__path_ $first>]::path(), router)
            }},
            described: || utoipa_axum::routes!($first $(, $more)*),
        }
    };
}
pub(crate) use routes;

/// Adds a handler for these methods.
pub(crate) fn on<H, T>(
    router: MethodRouter<Engine>,
    methods: Vec<utoipa::openapi::HttpMethod>,
    handler: H,
) -> MethodRouter<Engine>
where
    H: axum::handler::Handler<T, Engine>,
    T: 'static,
{
    use utoipa_axum::PathItemExt;
    methods.into_iter().fold(router, |router, method| {
        router.on(method.to_method_filter(), handler.clone())
    })
}

//! One list of operations, read in two ways: as a router, when an engine starts, and as the OpenAPI document, which is
//! generated and committed. So the programs do not contain the code that describes the operations, which was half a mebibyte
//! of an idle engine.

use crate::openapi::examples::Example;
use axum::{Router, routing::MethodRouter};
use tokenry_core::Operation;
use tokenry_engine::Engine;
use utoipa_axum::router::UtoipaMethodRouter;

/// Who may call an operation, and how the caller proves that it may.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Callers {
    /// The policy decides on all of these.
    Policy(&'static [Operation]),
    /// The policy decides; one of these is enough.
    AnyPolicy(&'static [Operation]),
    /// The policy decides, or a program sends the code that `tokenry serve` printed at its start.
    PolicyOrCode(Operation),
    /// Everybody.
    Everybody,
    /// A client of the authorization server; a public one is not authenticated.
    Client,
    /// A client of the authorization server, but not a public one.
    ConfidentialClient,
}

/// What is declared beside a handler, by [`operation!`]. A handler without it cannot be routed.
pub(crate) trait Declared {
    const CALLERS: Callers;
    /// Of the types that it takes and answers; of a list, one item. Each type has its example at one handler.
    fn examples() -> Vec<Example>;
}

/// The same, as the document needs it.
pub(crate) struct Declaration {
    /// The handler's name, which is the operation's id in the document.
    pub(crate) id: &'static str,
    pub(crate) callers: Callers,
    pub(crate) examples: Vec<Example>,
}

impl Declaration {
    pub(crate) fn of<D: Declared>(id: &'static str) -> Self {
        Self {
            id,
            callers: D::CALLERS,
            examples: D::examples(),
        }
    }
}

/// Declares who may call a handler, and gives examples of what it takes and answers.
macro_rules! operation {
    ($handler:ident, $callers:expr $(, $example:expr)* $(,)?) => {
        utoipa_axum::paste! {
            impl $crate::operations::Declared for [<__path_ $handler>] {
                const CALLERS: $crate::operations::Callers = $callers;
                fn examples() -> Vec<$crate::openapi::examples::Example> {
                    vec![$($crate::openapi::examples::Example::of($example)),*]
                }
            }
        }
    };
}
pub(crate) use operation;

/// The operations of one path, in both ways. A way that is not used is not compiled in.
pub(crate) struct Path<P, D> {
    pub(crate) plain: P,
    pub(crate) described: D,
}

/// Reads the list.
pub(crate) trait Operations: Sized {
    /// Adds the operations of one path, as [`routes!`] names them.
    fn routes<P, D>(self, path: Path<P, D>) -> Self
    where
        P: FnOnce() -> (String, MethodRouter<Engine>),
        D: FnOnce() -> (UtoipaMethodRouter<Engine>, Vec<Declaration>);
}

impl Operations for Router<Engine> {
    fn routes<P, D>(self, path: Path<P, D>) -> Self
    where
        P: FnOnce() -> (String, MethodRouter<Engine>),
        D: FnOnce() -> (UtoipaMethodRouter<Engine>, Vec<Declaration>),
    {
        let (path, methods) = (path.plain)();
        self.route(&path, methods)
    }
}

/// The handlers of one path. The `utoipa::path` of each says its method.
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
            described: || {
                let declared = utoipa_axum::paste! {
                    vec![
                        $crate::operations::Declaration::of::<[<__path_ $first>]>(stringify!($first)),
                        $($crate::operations::Declaration::of::<[<__path_ $more>]>(stringify!($more)),)*
                    ]
                };
                (utoipa_axum::routes!($first $(, $more)*), declared)
            },
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

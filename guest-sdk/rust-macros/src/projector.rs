//! `#[projector(..)]`: a function is a projector.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, ItemFn, LitStr, Result, Token, Type, parenthesized};

use crate::table::check_name;

pub(crate) fn expand(arguments: &Arguments, mut function: ItemFn) -> Result<TokenStream> {
    let signature = &function.sig;
    let ident = signature.ident.clone();
    if !signature.generics.params.is_empty() || signature.asyncness.is_some() {
        return Err(Error::new_spanned(
            signature,
            "a projector is a plain function",
        ));
    }
    if signature.inputs.len() != 2 {
        let what = "a projector takes an event and its rows: (event: Event<..>, rows: &mut Rows)";
        return Err(Error::new_spanned(signature, what));
    }
    let attributes = std::mem::take(&mut function.attrs);
    let vis = std::mem::replace(&mut function.vis, syn::Visibility::Inherited);
    let tables = &arguments.tables;
    let indexes = 0..tables.len() as u16;
    let description = arguments.description(&ident)?;
    Ok(quote! {
        // A function, not a constant: a `let` of the same name may hide it.
        #(#attributes)*
        #vis fn #ident() -> #ident {
            #ident {}
        }

        #[doc(hidden)]
        #[derive(Clone, Copy, Debug)]
        #[allow(non_camel_case_types)]
        #vis struct #ident {}

        const _: () = {
            #function

            impl ::lantern_sdk::Projector for #ident {
                fn describe(&self) -> ::lantern_sdk::__private::Description {
                    #description
                }

                #[inline]
                fn project(
                    &self,
                    batch: &::lantern_sdk::__private::Batch,
                    rows: &mut ::lantern_sdk::Rows,
                ) -> ::core::result::Result<(), ::lantern_sdk::__private::Failure> {
                    ::lantern_sdk::__private::run(batch, rows, #ident)
                }
            }

            #(impl ::lantern_sdk::Owned for #tables { const INDEX: u16 = #indexes; })*
        };

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use ::lantern_sdk::__private;

            struct Component;

            impl __private::Guest for Component {
                fn describe() -> __private::Description {
                    ::lantern_sdk::Projector::describe(&#ident {})
                }

                fn project(
                    batch: __private::Batch,
                ) -> ::core::result::Result<__private::Commands, __private::Failure> {
                    __private::answer(&#ident {}, batch)
                }
            }

            __private::bindings::__export_projector!(
                Component with_types_in ::lantern_sdk::__private::bindings
            );
        };
    })
}

/// The arguments of `#[projector(..)]`.
#[derive(Default)]
pub(crate) struct Arguments {
    name: Option<LitStr>,
    version: Option<LitStr>,
    tables: Vec<Type>,
    types: Option<Vec<LitStr>>,
    streams: Vec<LitStr>,
    tenants: Vec<LitStr>,
    ids: bool,
    needs_streams: bool,
    metadata: bool,
    order: Option<Order>,
    lookups: Vec<Lookup>,
}

/// `order(entity = "..", version = "..")`.
struct Order {
    entity: LitStr,
    version: LitStr,
}

/// `lookup(Customer, types("order.*"), key("$.customer_id"))`.
struct Lookup {
    table: Type,
    types: Vec<LitStr>,
    key: Vec<LitStr>,
}

impl Lookup {
    fn declaration(&self) -> TokenStream {
        let Self { table, types, key } = self;
        quote!(::lantern_sdk::__private::lookup::<#table>(&[#(#types),*], &[#(#key),*]))
    }
}

impl Parse for Lookup {
    fn parse(input: ParseStream) -> Result<Self> {
        let content;
        parenthesized!(content in input);
        let mut lookup = Self {
            table: content.parse()?,
            types: Vec::new(),
            key: Vec::new(),
        };
        while content.parse::<Option<Token![,]>>()?.is_some() && !content.is_empty() {
            let argument: Ident = content.parse()?;
            match argument.to_string().as_str() {
                "types" => lookup.types = list(&content)?,
                "key" => lookup.key = list(&content)?,
                _ => {
                    return Err(Error::new_spanned(
                        argument,
                        "expected types(..) or key(..)",
                    ));
                }
            }
        }
        if lookup.key.is_empty() {
            let what = "say where in an event the key stands: key(\"$.customer_id\")";
            return Err(Error::new_spanned(lookup.table, what));
        }
        Ok(lookup)
    }
}

impl Arguments {
    fn description(&self, function: &Ident) -> Result<TokenStream> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => LitStr::new(&function.unraw().to_string(), function.span()),
        };
        check_name(&name.value(), &name)?;
        let version = match &self.version {
            Some(version) => quote!(#version),
            None => quote!(::core::env!("CARGO_PKG_VERSION")),
        };
        let types = match &self.types {
            Some(types) => quote!(::std::vec![#(#types.into()),*]),
            None => quote!(::lantern_sdk::__private::types_of(#function)),
        };
        let order = match &self.order {
            Some(Order { entity, version }) => quote! {
                ::core::option::Option::Some(::lantern_sdk::__private::StrictOrder {
                    entity: #entity.into(),
                    version: #version.into(),
                })
            },
            None => quote!(::core::option::Option::None),
        };
        let Self {
            tables,
            streams,
            tenants,
            ids,
            needs_streams,
            metadata,
            ..
        } = self;
        let lookups = self.lookups.iter().map(Lookup::declaration);
        Ok(quote! {
            ::lantern_sdk::__private::Description {
                name: #name.into(),
                version: #version.into(),
                wants: ::lantern_sdk::__private::EventFilter {
                    types: #types,
                    streams: ::std::vec![#(#streams.into()),*],
                    tenants: ::std::vec![#(#tenants.into()),*],
                },
                needs: ::lantern_sdk::__private::Envelope {
                    ids: #ids,
                    streams: #needs_streams,
                    metadata: #metadata,
                },
                tables: ::std::vec![#(<#tables as ::lantern_sdk::Table>::declaration()),*],
                order: #order,
                lookups: ::std::vec![#(#lookups),*],
            }
        })
    }

    fn read_needs(&mut self, input: ParseStream) -> Result<()> {
        for part in list::<Ident>(input)? {
            match part.to_string().as_str() {
                "ids" => self.ids = true,
                "streams" => self.needs_streams = true,
                "metadata" => self.metadata = true,
                _ => {
                    return Err(Error::new_spanned(
                        part,
                        "expected ids, streams or metadata",
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut arguments = Self::default();
        while !input.is_empty() {
            let argument: Ident = input.parse()?;
            match argument.to_string().as_str() {
                "name" => arguments.name = Some(value(input)?),
                "version" => arguments.version = Some(value(input)?),
                "tables" => arguments.tables = list(input)?,
                "types" => arguments.types = Some(list(input)?),
                "streams" => arguments.streams = list(input)?,
                "tenants" => arguments.tenants = list(input)?,
                "needs" => arguments.read_needs(input)?,
                "order" => arguments.order = Some(read_order(input)?),
                "lookup" => arguments.lookups.push(input.parse()?),
                _ => {
                    let known = "expected name = \"..\", version = \"..\", tables(..), types(..), \
                                 streams(..), tenants(..), needs(..), order(..) or lookup(..)";
                    return Err(Error::new_spanned(argument, known));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if arguments.tables.is_empty() {
            return Err(input.error("name the projector's tables: tables(Order)"));
        }
        Ok(arguments)
    }
}

fn read_order(input: ParseStream) -> Result<Order> {
    let content;
    parenthesized!(content in input);
    let (mut entity, mut version) = (None, None);
    while !content.is_empty() {
        let key: Ident = content.parse()?;
        let held = match key.to_string().as_str() {
            "entity" => &mut entity,
            "version" => &mut version,
            _ => return Err(Error::new_spanned(key, "expected entity or version")),
        };
        *held = Some(order_key(&content)?);
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    match (entity, version) {
        (Some(entity), Some(version)) => Ok(Order { entity, version }),
        _ => {
            Err(content.error("say both: order(entity = \"$.order_id\", version = \"$.version\")"))
        }
    }
}

/// The host checks it in full.
fn order_key(input: ParseStream) -> Result<LitStr> {
    let key = value(input)?;
    match key.value() == "stream" || key.value().starts_with("$.") {
        true => Ok(key),
        false => Err(Error::new_spanned(
            key,
            "expected a member such as \"$.order_id\", or \"stream\"",
        )),
    }
}

fn value(input: ParseStream) -> Result<LitStr> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn list<T: Parse>(input: ParseStream) -> Result<Vec<T>> {
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?
        .into_iter()
        .collect())
}

//! `#[derive(Events)]`: an enum is the events a projector knows.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{
    Attribute, Data, DeriveInput, Error, Field, Fields, GenericArgument, GenericParam, Ident,
    Lifetime, LitStr, PathArguments, Result, Token, Type, Variant,
};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let refuse = |what| Err(Error::new_spanned(&input.ident, what));
    let Data::Enum(data) = &input.data else {
        return refuse("a projector's events are an enum, with a variant per event type");
    };
    let lifetime = match input.generics.params.iter().collect::<Vec<_>>().as_slice() {
        [] => Lifetime::new("'__a", input.ident.span()),
        [GenericParam::Lifetime(parameter)] => parameter.lifetime.clone(),
        _ => return refuse("an enum of events can have one lifetime and no other parameters"),
    };
    let variants = data
        .variants
        .iter()
        .map(EventVariant::read)
        .collect::<Result<Vec<_>>>()?;
    refuse_doubles(&variants)?;

    let ident = &input.ident;
    let arguments = (!input.generics.params.is_empty()).then(|| quote!(<#lifetime>));
    let types = wanted(&variants);
    let routes = routes(&variants);
    let shared = serde_attributes(&input.attrs);
    let arms = (0_u32..).zip(&variants).map(|(route, variant)| {
        let read = variant.read_payload(&lifetime, &shared);
        quote!(#route => #read)
    });
    Ok(quote! {
        impl<#lifetime> ::lantern_sdk::Events<#lifetime> for #ident #arguments {
            const TYPES: &'static [&'static str] = &[#(#types),*];

            fn route(event_type: &str) -> ::core::option::Option<u32> {
                #routes
            }

            #[inline]
            fn read(
                route: u32,
                payload: ::lantern_sdk::__private::Payload<#lifetime>,
            ) -> ::core::result::Result<Self, ::lantern_sdk::__private::PayloadError> {
                match route {
                    #(#arms)*
                    _ => ::core::unreachable!("`route` names the variants alone"),
                }
            }
        }
    })
}

/// A variant and the event types it stands for.
struct EventVariant<'i> {
    variant: &'i Variant,
    names: Vec<LitStr>,
    other: bool,
}

impl<'i> EventVariant<'i> {
    fn read(variant: &'i Variant) -> Result<Self> {
        let mut read = Self {
            variant,
            names: Vec::new(),
            other: false,
        };
        for attribute in variant.attrs.iter().filter(|a| a.path().is_ident("event")) {
            attribute.parse_args_with(|content: ParseStream| {
                if content.peek(Ident) {
                    let word: Ident = content.parse()?;
                    read.other = word == "other";
                    return if read.other {
                        Ok(())
                    } else {
                        Err(expected(&word))
                    };
                }
                let names: Punctuated<LitStr, Token![,]> = Punctuated::parse_terminated(content)?;
                read.names.extend(names);
                Ok(())
            })?;
        }
        if read.names.is_empty() && !read.other {
            return Err(expected(&variant.ident));
        }
        match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() != 1 => Err(Error::new_spanned(
                fields,
                "a payload is one value; name the fields",
            )),
            _ => Ok(read),
        }
    }

    /// Reads the payload as this variant.
    fn read_payload(&self, lifetime: &Lifetime, shared: &[&Attribute]) -> TokenStream {
        let ident = &self.variant.ident;
        match &self.variant.fields {
            Fields::Unit => quote!(::core::result::Result::Ok(Self::#ident),),
            Fields::Unnamed(_) => quote!(payload.json().map(Self::#ident),),
            Fields::Named(fields) => {
                let payload = format_ident!("__{}", ident.unraw());
                let name = ident.unraw().to_string();
                let own = serde_attributes(&self.variant.attrs);
                let idents: Vec<_> = fields.named.iter().map(|field| &field.ident).collect();
                let declared = fields.named.iter().map(|field| declare(field, lifetime));
                let arguments = fields
                    .named
                    .iter()
                    .any(|field| mentions(&field.ty, lifetime))
                    .then(|| quote!(<#lifetime>));
                quote! {{
                    #[derive(::lantern_sdk::__private::serde::Deserialize)]
                    #[serde(crate = "::lantern_sdk::__private::serde", rename = #name)]
                    #(#shared)*
                    #(#own)*
                    struct #payload #arguments { #(#declared),* }

                    let #payload { #(#idents),* } = payload.json()?;
                    ::core::result::Result::Ok(Self::#ident { #(#idents),* })
                }}
            }
        }
    }
}

fn expected(at: &Ident) -> Error {
    Error::new_spanned(
        at,
        "say which events these are: #[event(\"order.created\")] or #[event(other)]",
    )
}

fn refuse_doubles(variants: &[EventVariant<'_>]) -> Result<()> {
    let mut seen = HashSet::new();
    for name in variants.iter().flat_map(|variant| &variant.names) {
        if !seen.insert(name.value()) {
            return Err(Error::new_spanned(
                name,
                "another variant stands for these events",
            ));
        }
    }
    match variants.iter().filter(|variant| variant.other).nth(1) {
        Some(second) => Err(Error::new_spanned(
            &second.variant.ident,
            "another variant stands for all other events",
        )),
        None => Ok(()),
    }
}

/// The event types to ask for: none, which means all, when a variant takes any.
fn wanted<'v>(variants: &'v [EventVariant<'_>]) -> Vec<&'v LitStr> {
    if variants.iter().any(|variant| variant.other) {
        return Vec::new();
    }
    variants.iter().flat_map(|variant| &variant.names).collect()
}

/// From a type to the number of its variant: whole names first, then
/// beginnings in the order in which they are declared.
fn routes(variants: &[EventVariant<'_>]) -> TokenStream {
    let (mut names, mut beginnings) = (Vec::new(), Vec::new());
    let mut other = quote!(::core::option::Option::None);
    for (route, variant) in (0_u32..).zip(variants) {
        for name in &variant.names {
            match name.value().strip_suffix('*') {
                None => names.push(quote!(#name => ::core::option::Option::Some(#route),)),
                Some(beginning) => beginnings.push(quote! {
                    _ if event_type.starts_with(#beginning) => ::core::option::Option::Some(#route),
                }),
            }
        }
        if variant.other {
            other = quote!(::core::option::Option::Some(#route));
        }
    }
    quote!(match event_type { #(#names)* #(#beginnings)* _ => #other, })
}

fn serde_attributes(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .collect()
}

/// A field as serde is to see it: borrowing wherever it can.
fn declare(field: &Field, lifetime: &Lifetime) -> TokenStream {
    let Field { ident, ty, .. } = field;
    let own = serde_attributes(&field.attrs);
    let borrow = if !own.is_empty() || !mentions(ty, lifetime) {
        TokenStream::new()
    } else if is_optional_text(ty) {
        quote! {
            #[serde(borrow, default, deserialize_with = "::lantern_sdk::__private::borrow_optional")]
        }
    } else {
        quote!(#[serde(borrow)])
    };
    quote!(#borrow #(#own)* #ident: #ty)
}

fn mentions(ty: &Type, lifetime: &Lifetime) -> bool {
    struct Search<'l> {
        lifetime: &'l Lifetime,
        found: bool,
    }

    impl<'ast> Visit<'ast> for Search<'_> {
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.found |= lifetime == self.lifetime;
        }
    }

    let mut search = Search {
        lifetime,
        found: false,
    };
    search.visit_type(ty);
    search.found
}

/// Whether the type is written `Option<Cow<'_, str>>`.
fn is_optional_text(ty: &Type) -> bool {
    let inner = argument_of(ty, "Option").and_then(|ty| argument_of(ty, "Cow"));
    matches!(inner, Some(Type::Path(path)) if path.path.is_ident("str"))
}

/// The type argument of a generic type of this name.
fn argument_of<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = ty else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

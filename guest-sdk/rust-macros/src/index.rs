//! The indexes of a table, as its attributes declare them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Result, Token, parenthesized};

use crate::table::Column;

/// `index(..)`, `unique(..)` or `text(..)` as written.
pub(crate) struct ParsedIndex {
    columns: Punctuated<ParsedIndexColumn, Token![,]>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ordered,
    Unique,
    Text,
}

/// `column`, `column -> "$.path"`, either with `asc` or `desc`.
struct ParsedIndexColumn {
    column: Ident,
    path: Option<String>,
    descending: bool,
}

/// An index whose columns exist.
pub(crate) struct Index {
    columns: Vec<(String, Option<String>, bool)>,
    kind: Kind,
}

impl ParsedIndex {
    pub(crate) fn read(input: ParseStream, kind: Kind) -> Result<Self> {
        let content;
        parenthesized!(content in input);
        Ok(Self {
            columns: Punctuated::parse_terminated(&content)?,
            kind,
        })
    }

    pub(crate) fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    pub(crate) fn resolve(self, columns: &[Column<'_>]) -> Result<Index> {
        let is_text = self.is_text();
        let resolve = |part: ParsedIndexColumn| {
            if is_text && (part.path.is_some() || part.descending) {
                let what = "a text index takes columns of text, without path or direction";
                return Err(Error::new_spanned(part.column, what));
            }
            let Some(column) = columns.iter().find(|column| *column.ident == part.column) else {
                return Err(Error::new_spanned(part.column, "there is no such field"));
            };
            Ok((column.name.clone(), part.path, part.descending))
        };
        Ok(Index {
            columns: self
                .columns
                .into_iter()
                .map(resolve)
                .collect::<Result<_>>()?,
            kind: self.kind,
        })
    }
}

impl Parse for ParsedIndexColumn {
    fn parse(input: ParseStream) -> Result<Self> {
        let column = input.call(Ident::parse_any)?;
        let mut path = None;
        if input.parse::<Option<Token![->]>>()?.is_some() {
            path = Some(input.parse::<LitStr>()?.value());
        }
        let descending = match input.parse::<Option<Ident>>()? {
            None => false,
            Some(direction) if direction == "asc" => false,
            Some(direction) if direction == "desc" => true,
            Some(other) => return Err(Error::new_spanned(other, "expected `asc` or `desc`")),
        };
        Ok(Self {
            column,
            path,
            descending,
        })
    }
}

impl Index {
    pub(crate) fn declaration(&self) -> TokenStream {
        let kind = match self.kind {
            Kind::Ordered => quote!(Ordered),
            Kind::Unique => quote!(Unique),
            Kind::Text => quote!(Text),
        };
        let columns = self.columns.iter().map(|(column, path, descending)| {
            let path = match path {
                Some(path) => quote!(::core::option::Option::Some(#path.into())),
                None => quote!(::core::option::Option::None),
            };
            quote! {
                ::lantern_sdk::__private::IndexColumn {
                    column: #column.into(),
                    path: #path,
                    descending: #descending,
                }
            }
        });
        quote! {
            ::lantern_sdk::__private::Index {
                columns: ::std::vec![#(#columns),*],
                kind: ::lantern_sdk::__private::IndexKind::#kind,
            }
        }
    }
}

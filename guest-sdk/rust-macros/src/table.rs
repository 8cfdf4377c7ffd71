//! `#[derive(Table)]`: a struct is a row.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::visit_mut::VisitMut;
use syn::{
    Data, DeriveInput, Error, Field, Fields, GenericParam, Ident, Lifetime, LitStr, Result, Token,
    Type,
};

use crate::index::{Index, Kind, ParsedIndex};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let table = Table::read(input)?;
    let trait_impl = table.trait_impl();
    let key = table.key_struct();
    let handles = table.handles();
    Ok(quote! { #trait_impl #key #handles })
}

/// What the struct and its attributes say.
struct Table<'i> {
    input: &'i DeriveInput,
    name: String,
    columns: Vec<Column<'i>>,
    indexes: Vec<Index>,
    guarded: bool,
    tenant_keyed: bool,
    stream_keyed: bool,
    /// The struct's type with every lifetime `'static`.
    stored: TokenStream,
}

pub(crate) struct Column<'i> {
    field: &'i Field,
    pub(crate) ident: &'i Ident,
    pub(crate) name: String,
    index: u16,
    in_key: bool,
}

impl<'i> Table<'i> {
    fn read(input: &'i DeriveInput) -> Result<Self> {
        let refuse = |what| Err(Error::new_spanned(&input.ident, what));
        let Data::Struct(data) = &input.data else {
            return refuse("a table's row is a struct");
        };
        let Fields::Named(fields) = &data.fields else {
            return refuse("a table's row has named fields");
        };
        if input
            .generics
            .params
            .iter()
            .any(|p| !matches!(p, GenericParam::Lifetime(_)))
        {
            return refuse("a table's row can have lifetimes, but no type parameters");
        }
        let columns = (0..)
            .zip(&fields.named)
            .map(|(i, f)| Column::read(i, f))
            .collect::<Result<Vec<_>>>()?;
        if !columns.iter().any(|column| column.in_key) {
            return refuse("a table needs a key: mark at least one field with #[key]");
        }
        let options = Options::read(input)?;
        let indexes = options
            .indexes
            .into_iter()
            .map(|i| i.resolve(&columns))
            .collect::<Result<_>>()?;
        let ident = &input.ident;
        let statics = input.generics.lifetimes().map(|_| quote!('static));
        Ok(Self {
            input,
            name: options
                .name
                .unwrap_or_else(|| snake_case(&ident.unraw().to_string())),
            columns,
            indexes,
            guarded: options.guarded,
            tenant_keyed: options.tenant_keyed,
            stream_keyed: options.stream_keyed,
            stored: quote!(#ident<#(#statics),*>),
        })
    }

    fn key_columns(&self) -> impl Iterator<Item = &Column<'i>> {
        self.columns.iter().filter(|column| column.in_key)
    }

    fn value_columns(&self) -> impl Iterator<Item = &Column<'i>> {
        self.columns.iter().filter(|column| !column.in_key)
    }

    fn key_ident(&self) -> Ident {
        format_ident!("{}Key", self.input.ident)
    }

    fn trait_impl(&self) -> TokenStream {
        let ident = &self.input.ident;
        let (generics, arguments, bounds) = self.input.generics.split_for_impl();
        let declaration = self.declaration();
        let guarded = self.guarded;
        let key = self.key_ident();
        let all: Vec<_> = self.columns.iter().map(|column| column.ident).collect();
        let keys: Vec<_> = self.key_columns().map(|column| column.ident).collect();
        let key_types = self.key_columns().map(|column| &column.field.ty);
        let values: Vec<_> = self.value_columns().map(|column| column.ident).collect();
        let value_indexes = self.value_columns().map(|column| column.index);
        let marker = guarded.then(|| {
            quote! { impl #generics ::lantern_sdk::Guarded for #ident #arguments #bounds {} }
        });
        quote! {
            impl #generics ::lantern_sdk::Table for #ident #arguments #bounds {
                type Key<'__k> = #key<'__k> where Self: '__k;
                const VALUES: &'static [u16] = &[#(#value_indexes),*];
                const GUARDED: bool = #guarded;

                fn declaration() -> ::lantern_sdk::__private::Table {
                    #declaration
                }

                #[inline]
                fn to_key(&self) -> #key<'_> {
                    Self::key(#(<#key_types as ::lantern_sdk::KeyValue>::as_key(&self.#keys)),*)
                }

                #[inline]
                fn write(&self, to: &mut ::lantern_sdk::CellWriter<'_>) {
                    #(::lantern_sdk::Value::write(&self.#values, to);)*
                }

                fn read(from: &mut ::lantern_sdk::CellReader<'_>) -> ::lantern_sdk::Result<Self> {
                    // Fields are read in the order in which they are written here.
                    ::core::result::Result::Ok(Self { #(#all: ::lantern_sdk::Value::read(from)?),* })
                }
            }

            #marker
        }
    }

    fn declaration(&self) -> TokenStream {
        let name = &self.name;
        let (guarded, tenant_keyed) = (self.guarded, self.tenant_keyed);
        let stream_keyed = self.stream_keyed;
        let names = self.columns.iter().map(|column| &column.name);
        let types: Vec<_> = self.columns.iter().map(|column| &column.field.ty).collect();
        let key = self.key_columns().map(|column| &column.name);
        let indexes = self.indexes.iter().map(Index::declaration);
        quote! {
            ::lantern_sdk::__private::Table {
                name: #name.into(),
                columns: ::std::vec![#(::lantern_sdk::__private::Column {
                    name: #names.into(),
                    type_: <#types as ::lantern_sdk::Value>::TYPE,
                    nullable: <#types as ::lantern_sdk::Value>::NULLABLE,
                }),*],
                key: ::std::vec![#(#key.into()),*],
                indexes: ::std::vec![#(#indexes),*],
                tenant_keyed: #tenant_keyed,
                stream_keyed: #stream_keyed,
                guarded: #guarded,
            }
        }
    }

    fn key_struct(&self) -> TokenStream {
        let vis = &self.input.vis;
        let key = self.key_ident();
        let stored = &self.stored;
        let doc = format!("The key of a row of `{}`.", self.name);
        let idents: Vec<_> = self.key_columns().map(|column| column.ident).collect();
        let docs = self
            .key_columns()
            .map(|column| format!("The column `{}`.", column.name));
        let types: Vec<_> = self
            .key_columns()
            .map(|column| {
                with_lifetime(
                    &column.field.ty,
                    &Lifetime::new("'__k", column.ident.span()),
                )
            })
            .collect();
        quote! {
            #[doc = #doc]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            #vis struct #key<'__k> {
                #(
                    #[doc = #docs]
                    #vis #idents: <#types as ::lantern_sdk::KeyValue>::Ref<'__k>,
                )*
                // A key of numbers alone borrows nothing.
                #[doc(hidden)]
                __borrowed: ::core::marker::PhantomData<&'__k ()>,
            }

            impl<'__k> ::lantern_sdk::Key for #key<'__k> {
                type Table = #stored;

                #[inline]
                fn write(self, to: &mut ::lantern_sdk::CellWriter<'_>) {
                    #(<#types as ::lantern_sdk::KeyValue>::write_key(self.#idents, to);)*
                }
            }
        }
    }

    fn handles(&self) -> TokenStream {
        let (vis, ident) = (&self.input.vis, &self.input.ident);
        let (generics, arguments, bounds) = self.input.generics.split_for_impl();
        let key = self.key_ident();
        let stored = &self.stored;
        let key_doc = format!("The key of a row of `{}`.", self.name);
        let keys: Vec<_> = self.key_columns().map(|column| column.ident).collect();
        let key_types: Vec<_> = self
            .key_columns()
            .map(|column| {
                with_lifetime(
                    &column.field.ty,
                    &Lifetime::new("'__k", column.ident.span()),
                )
            })
            .collect();
        let columns = self.value_columns().map(|column| {
            let Column {
                field,
                ident,
                name,
                index,
                ..
            } = column;
            let (vis, ty) = (&field.vis, &field.ty);
            let doc = format!("The column `{name}`.");
            quote! {
                #[doc = #doc]
                #vis const #ident: ::lantern_sdk::Column<
                    #stored,
                    <#ty as ::lantern_sdk::Value>::Stored,
                > = ::lantern_sdk::Column::new(#index);
            }
        });
        quote! {
            #[allow(dead_code, non_upper_case_globals)]
            impl #generics #ident #arguments #bounds {
                #[doc = #key_doc]
                #[inline]
                #vis fn key<'__k>(
                    #(#keys: <#key_types as ::lantern_sdk::KeyValue>::Ref<'__k>),*
                ) -> #key<'__k> {
                    #key { #(#keys,)* __borrowed: ::core::marker::PhantomData }
                }

                #(#columns)*
            }
        }
    }
}

impl<'i> Column<'i> {
    fn read(index: u16, field: &'i Field) -> Result<Self> {
        let Some(ident) = &field.ident else {
            return Err(Error::new_spanned(field, "a table's row has named fields"));
        };
        let mut name = ident.unraw().to_string();
        let mut in_key = false;
        for attribute in &field.attrs {
            if attribute.path().is_ident("key") {
                in_key = true;
            } else if attribute.path().is_ident("column") {
                attribute.parse_nested_meta(|meta| {
                    if !meta.path.is_ident("name") {
                        return Err(meta.error("expected `name = \"..\"`"));
                    }
                    name = meta.value()?.parse::<LitStr>()?.value();
                    Ok(())
                })?;
            }
        }
        if !in_key && ident == "key" {
            let what = "`key` is what makes a row's key; call the field otherwise, with \
                        #[column(name = \"key\")]";
            return Err(Error::new_spanned(ident, what));
        }
        check_name(&name, ident)?;
        Ok(Self {
            field,
            ident,
            name,
            index,
            in_key,
        })
    }
}

/// The arguments of `#[table(..)]`.
#[derive(Default)]
struct Options {
    name: Option<String>,
    indexes: Vec<ParsedIndex>,
    guarded: bool,
    tenant_keyed: bool,
    stream_keyed: bool,
}

impl Options {
    fn read(input: &DeriveInput) -> Result<Self> {
        let mut options = Self::default();
        for attribute in input.attrs.iter().filter(|a| a.path().is_ident("table")) {
            attribute.parse_args_with(|content: ParseStream| options.read_arguments(content))?;
        }
        Ok(options)
    }

    fn read_arguments(&mut self, content: ParseStream) -> Result<()> {
        while !content.is_empty() {
            let argument: Ident = content.parse()?;
            match argument.to_string().as_str() {
                "name" => {
                    content.parse::<Token![=]>()?;
                    let name: LitStr = content.parse()?;
                    check_name(&name.value(), &name)?;
                    self.name = Some(name.value());
                }
                "index" => self
                    .indexes
                    .push(ParsedIndex::read(content, Kind::Ordered)?),
                "unique" => self.indexes.push(ParsedIndex::read(content, Kind::Unique)?),
                "text" => {
                    let index = ParsedIndex::read(content, Kind::Text)?;
                    if self.indexes.iter().any(ParsedIndex::is_text) {
                        let what = "a table has one text index; name all its columns there";
                        return Err(Error::new_spanned(argument, what));
                    }
                    self.indexes.push(index);
                }
                "guarded" => self.guarded = true,
                "tenant_keyed" => self.tenant_keyed = true,
                "stream_keyed" => self.stream_keyed = true,
                _ => {
                    let known = "expected name = \"..\", index(..), unique(..), text(..), guarded, \
                                 tenant_keyed or stream_keyed";
                    return Err(Error::new_spanned(argument, known));
                }
            }
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }
}

/// The names that the host accepts.
pub(crate) fn check_name(name: &str, at: impl quote::ToTokens) -> Result<()> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    let goes_on_well = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if starts_well && goes_on_well && name.len() <= 40 {
        return Ok(());
    }
    let what = format!("`{name}` is no name: [a-z][a-z0-9_]*, at most 40 characters");
    Err(Error::new_spanned(at, what))
}

fn snake_case(camel: &str) -> String {
    let mut snake = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The type with every lifetime replaced.
fn with_lifetime(ty: &Type, lifetime: &Lifetime) -> Type {
    struct Replace<'l>(&'l Lifetime);

    impl VisitMut for Replace<'_> {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            *lifetime = self.0.clone();
        }
    }

    let mut ty = ty.clone();
    Replace(lifetime).visit_type_mut(&mut ty);
    ty
}

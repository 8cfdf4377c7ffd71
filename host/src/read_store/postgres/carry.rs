//! What people have done to a readers' view, carried over to its successor:
//! owner, grants, comments, options.

use sqlx::postgres::PgConnection;

use super::change::execute;
use super::ddl::Shown;
use super::space::{Space, literal};
use crate::model::{GenerationId, Table};
use crate::read_store::schema::{physical_table, quoted};

/// A readers' view as it is.
#[derive(Debug)]
pub(super) struct View {
    pub(super) owner: String,
    /// Whether it belongs to the role that Lantern logs in as.
    is_ours: bool,
    /// Name, type and comment of each column.
    columns: Vec<(String, String, Option<String>)>,
    comment: Option<String>,
    /// Such as `security_barrier=true`.
    options: Vec<String>,
    grants: Vec<Grant>,
}

/// A right that somebody other than the owner has.
#[derive(Debug, sqlx::FromRow)]
struct Grant {
    /// The column that it is limited to.
    column_name: Option<String>,
    /// The role; everybody when there is none.
    grantee: Option<String>,
    privilege: String,
    is_grantable: bool,
}

impl View {
    /// Reads a view, if there is one of this name.
    pub(super) async fn read(
        connection: &mut PgConnection,
        space: &Space,
        name: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        type Stored = (i64, String, bool, Option<String>, Vec<String>);
        let stored: Option<Stored> = sqlx::query_as(
            "SELECT c.oid::bigint, pg_catalog.pg_get_userbyid(c.relowner)::text, \
                 pg_catalog.pg_get_userbyid(c.relowner) = current_user, \
                 pg_catalog.obj_description(c.oid, 'pg_class'), \
                 coalesce(c.reloptions, '{}') \
             FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'v'",
        )
        .bind(&*space.schema)
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?;
        let Some((oid, owner, is_ours, comment, options)) = stored else {
            return Ok(None);
        };
        let columns = sqlx::query_as(
            "SELECT attname::text, pg_catalog.format_type(atttypid, atttypmod), \
                 pg_catalog.col_description(attrelid, attnum) \
             FROM pg_catalog.pg_attribute \
             WHERE attrelid = $1::bigint::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        )
        .bind(oid)
        .fetch_all(&mut *connection)
        .await?;
        Ok(Some(Self {
            owner,
            is_ours,
            columns,
            comment,
            options,
            grants: grants_of(connection, space, name).await?,
        }))
    }

    /// Whether the columns of a table are those of the view, or these and more
    /// behind them: then the view can be replaced in place.
    pub(super) fn fits(&self, shown: &Shown<'_>) -> bool {
        let mut columns = shown.columns();
        self.columns
            .iter()
            .all(|(name, kind, _)| columns.next() == Some((name, kind)))
    }

    /// Shows another table in place: the view stays what it is to those who refer
    /// to it. It would lose its options if they were not said again.
    pub(super) async fn replace(
        &self,
        connection: &mut PgConnection,
        space: &Space,
        generation: GenerationId,
        shown: &Shown<'_>,
    ) -> Result<(), sqlx::Error> {
        let sql = self.definition("CREATE OR REPLACE VIEW", space, generation, shown);
        execute(connection, sql).await
    }

    /// Makes a view of other columns in place of this one, which has been
    /// dropped, and does to it what had been done to this one.
    pub(super) async fn make_anew(
        &self,
        connection: &mut PgConnection,
        space: &Space,
        generation: GenerationId,
        shown: &Shown<'_>,
    ) -> Result<(), sqlx::Error> {
        let view = space.name(&shown.name);
        execute(
            connection,
            self.definition("CREATE VIEW", space, generation, shown),
        )
        .await?;
        let mut sql = Vec::new();
        // What default privileges have given it may have been taken from the other.
        for grant in grants_of(connection, space, &shown.name).await? {
            sql.push(format!(
                "REVOKE ALL ON {view} FROM {}",
                role(&grant.grantee)
            ));
        }
        let remains = |name: &str| shown.columns().any(|(column, _)| column == name);
        let grants = self.grants.iter();
        sql.extend(
            grants
                .filter(|grant| grant.column_name.as_deref().is_none_or(remains))
                .map(|grant| grant.on(&view)),
        );
        if let Some(comment) = &self.comment {
            sql.push(format!("COMMENT ON VIEW {view} IS {}", literal(comment)));
        }
        for (name, _, comment) in &self.columns {
            if let Some(comment) = comment.as_ref().filter(|_| remains(name)) {
                let column = format!("{view}.{}", quoted(name));
                sql.push(format!(
                    "COMMENT ON COLUMN {column} IS {}",
                    literal(comment)
                ));
            }
        }
        // Last, as it takes the right to do all this from us.
        if !self.is_ours {
            sql.push(format!(
                "ALTER VIEW {view} OWNER TO {}",
                quoted(&self.owner)
            ));
        }
        if sql.is_empty() {
            return Ok(());
        }
        execute(connection, sql.join("; ")).await
    }

    fn definition(
        &self,
        verb: &str,
        space: &Space,
        generation: GenerationId,
        shown: &Shown<'_>,
    ) -> String {
        let options: Vec<String> = self
            .options
            .iter()
            .filter_map(|option| option.split_once('='))
            .map(|(name, value)| format!("{} = {}", quoted(name), literal(value)))
            .collect();
        let options = if options.is_empty() {
            String::new()
        } else {
            format!(" WITH ({})", options.join(", "))
        };
        let view = space.name(&shown.name);
        let query = shown.query(space, generation);
        format!("{verb} {view}{options} AS {query}")
    }
}

/// Gives the rights on one generation's physical table to the same people on
/// another's. They are needed by the owner of a view who is not ourselves, and by
/// the readers of a view with `security_invoker`.
pub(super) async fn give_table_grants(
    connection: &mut PgConnection,
    space: &Space,
    view: &View,
    from: GenerationId,
    to: GenerationId,
    table: &Table,
) -> Result<(), sqlx::Error> {
    let former = physical_table(from, &table.name);
    let physical = space.physical(to, &table.name);
    let grants = grants_of(connection, space, &former).await?;
    let mut sql: Vec<String> = grants
        .iter()
        .filter(|grant| grant.column_name.is_none())
        .map(|grant| grant.on(&physical))
        .collect();
    if !view.is_ours {
        sql.push(format!(
            "GRANT SELECT ON {physical} TO {}",
            quoted(&view.owner)
        ));
    }
    if sql.is_empty() {
        return Ok(());
    }
    execute(connection, sql.join("; ")).await
}

/// The rights on a table or view that others than its owner have.
async fn grants_of(
    connection: &mut PgConnection,
    space: &Space,
    relation: &str,
) -> Result<Vec<Grant>, sqlx::Error> {
    sqlx::query_as(
        "WITH given AS ( \
             SELECT NULL::text AS column_name, c.relowner, a.* \
             FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, \
             LATERAL pg_catalog.aclexplode(c.relacl) a \
             WHERE n.nspname = $1 AND c.relname = $2 \
             UNION ALL \
             SELECT t.attname::text, c.relowner, a.* \
             FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid, \
             LATERAL pg_catalog.aclexplode(t.attacl) a \
             WHERE n.nspname = $1 AND c.relname = $2 AND NOT t.attisdropped) \
         SELECT column_name, \
             CASE grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(grantee)::text END \
                 AS grantee, \
             privilege_type AS privilege, is_grantable \
         FROM given WHERE grantee <> relowner",
    )
    .bind(&*space.schema)
    .bind(relation)
    .fetch_all(connection)
    .await
}

impl Grant {
    fn on(&self, relation: &str) -> String {
        let column = self
            .column_name
            .as_ref()
            .map_or_else(String::new, |name| format!(" ({})", quoted(name)));
        let option = if self.is_grantable {
            " WITH GRANT OPTION"
        } else {
            ""
        };
        format!(
            "GRANT {}{column} ON {relation} TO {}{option}",
            self.privilege,
            role(&self.grantee)
        )
    }
}

fn role(grantee: &Option<String>) -> String {
    grantee
        .as_ref()
        .map_or_else(|| "PUBLIC".to_owned(), |name| quoted(name))
}

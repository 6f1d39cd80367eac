//! How the settings of a provider stand in the document: all of them in an answer, any of them in what is sent.

use utoipa::openapi::{
    Components, RefOr, Schema,
    schema::{AdditionalProperties, Object, ObjectBuilder, OneOfBuilder, SchemaType, Type},
};

const SETTINGS: &str = "ProviderSettings";

/// Makes one closed object of what is sent, with each setting optional and nullable (RFC 7396).
pub(super) fn describe(components: &mut Components) {
    let Some(RefOr::T(Schema::Object(settings))) = components.schemas.get_mut(SETTINGS) else {
        return;
    };
    settings.required = settings.properties.keys().cloned().collect();
    // Others embed it, and have properties of their own.
    settings.additional_properties = None;
    let settings = settings.clone();
    for name in ["CreateProvider", "UpdateProvider"] {
        if let Some(schema) = components.schemas.get_mut(name) {
            merge(schema, &settings);
        }
    }
}

/// Puts the settings among the schema's own properties.
fn merge(schema: &mut RefOr<Schema>, settings: &Object) {
    let RefOr::T(Schema::AllOf(all)) = schema else {
        return;
    };
    let own = all.items.iter().find_map(|item| match item {
        RefOr::T(Schema::Object(own)) => Some(own.clone()),
        _ => None,
    });
    let Some(mut object) = own else { return };
    object.description = all.description.clone();
    object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    for (name, setting) in &settings.properties {
        let mut setting = setting.clone();
        make_nullable(&mut setting);
        object.properties.insert(name.clone(), setting);
    }
    *schema = RefOr::T(Schema::Object(object));
}

/// Without its default, too: what is left out of a change stays as it is.
fn make_nullable(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            object.default = None;
            add_null(&mut object.schema_type);
            // `null` removes one member of a map.
            if let Some(AdditionalProperties::RefOr(member)) = object.additional_properties.as_deref_mut() {
                make_nullable(member);
            }
        }
        RefOr::T(Schema::Array(list)) => {
            list.default = None;
            add_null(&mut list.schema_type);
        }
        // An optional object may be `null` already.
        RefOr::T(Schema::OneOf(optional)) => optional.default = None,
        other => {
            if let RefOr::Ref(reference) = other {
                reference.default = None;
            }
            let null = ObjectBuilder::new().schema_type(Type::Null);
            *other = OneOfBuilder::new().item(null).item(other.clone()).into();
        }
    }
}

fn add_null(types: &mut SchemaType) {
    *types = match types.clone() {
        SchemaType::Type(one) => SchemaType::from_iter([one, Type::Null]),
        SchemaType::Array(mut several) => {
            if !several.contains(&Type::Null) {
                several.push(Type::Null);
            }
            SchemaType::Array(several)
        }
        SchemaType::AnyValue => SchemaType::AnyValue,
    };
}

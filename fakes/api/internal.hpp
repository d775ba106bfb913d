#pragma once
// What the files of fakes/api share. Nobody outside includes this.
#include "fakes/api/api.hpp"
#include "fakes/api/jwt.hpp"
#include "fakes/patch/patch.hpp"
#include "fakes/yaml/yaml.hpp"

#include <unordered_map>

namespace shed {

// ---- errors.cpp: the answers of clients.md 4.4
Error bad_request(std::string message);
Error page_not_found();      // 404 as text/plain: a path no handler knows
Error resource_not_found();  // 404 as JSON: a resource its group does not have
Error method_not_allowed();
Error plain_internal(std::string message);  // 500 without a reason, as a Go error that is no Status becomes
Error unsupported_media_type(std::string accepted);
Error options_invalid(std::string_view options_kind, FieldError error);
// Storage reports some immutable fields twice: two equal causes, one message.
Error invalid_twice(const Kind& kind, std::string_view name, FieldError error);
// 422 with the plural as details.kind, as storage (not validation) words it.
Error version_required(const Kind& kind, std::string_view name);
Error version_too_large(ResourceVersion asked, ResourceVersion current);

// ---- negotiate.cpp
struct Form {
    enum class As { object, table, partial } as = As::object;
    bool yaml = false;
    bool table_beta = false;  // meta.k8s.io/v1beta1
};
Result<Form> negotiate(std::string_view accept);
struct DiscoveryForm {
    std::string_view version;  // "v2", "v2beta1", or "" for the plain documents
};
DiscoveryForm negotiate_discovery(std::string_view accept);
std::string media_type_of(std::string_view content_type);  // lower case, without parameters

// ---- body.cpp
struct Body {
    Json value;
    std::vector<std::string> duplicates;  // paths of members given twice
};
Result<Body> decode_body(const Request& request, std::vector<std::string>& warnings);
Result<Json> decode_options(const Request& request);  // DeleteOptions; null when there is no body
std::string summarize(std::string_view body);         // as the real server quotes a bad body
// Drops what the schema does not know, and refuses it or warns of it as fieldValidation says.
Result<void> validate_fields(const Request& request, const Kind& kind, Json& object,
                             std::vector<std::string>* warnings);
Result<void> report_problems(const Request& request, const Kind& kind,
                             const std::vector<std::string>& problems,
                             std::vector<std::string>* warnings);
// json_scan.cpp: Go's words for a syntax error, and the members given twice.
struct JsonScan {
    std::string error;
    std::vector<std::string> duplicates;
};
JsonScan scan_json(std::string_view text);

// ---- events.cpp: core and events.k8s.io are two faces of one stored object
bool is_new_event(const Kind& kind);
const Kind& stored_kind(const Kind& kind);
Json event_to_core(Json event);
Json event_from_core(const Json& event);
void normalize_event(Json& event);
// The object as `wanted` shows it.
ObjectPtr presented(const Kind& wanted, const ObjectPtr& stored);

// ---- metadata.cpp
// Go's complaint about a member of metadata that has the wrong type.
std::optional<Error> check_metadata_types(const Kind& kind, const Json& object);
bool unconditional_update_allowed(const Kind& kind);
bool created_by_update(const Kind& kind);
bool returned_when_deleted(const Kind& kind);
bool spec_equal(const Kind& kind, const Json& one, const Json& other);
std::string field_manager(const Request& request);

// ---- patched.cpp
Result<Json> patched(const Request& request, const Kind& kind, const Json& live, const Json& patch);
// Whether the patched object can still be read; in strict mode unknown members count, too.
Result<void> check_patched(const Request& request, const Kind& kind, const Json& patched);

// ---- read.cpp
struct Selectors {
    LabelSelector labels;
    FieldSelector fields;
    bool empty() const { return labels.empty() && fields.empty(); }
    bool matches(const Object& object) const {
        return labels.matches(object) && fields.matches(object);
    }
};
Result<Selectors> selectors_of(const Request& request);
Result<std::optional<std::int64_t>> integer_parameter(const Request& request, std::string_view name);
// The object's bytes without apiVersion and kind, which items of built-in lists do not have.
void append_item(std::string& out, const Kind& kind, const Object& object);

// ---- table.cpp
struct TableForm {
    bool beta = false;
    enum class Include { metadata, object, none } include = Include::metadata;
};
Result<TableForm> table_form(const Request& request, const Form& form);
// `metadata` is the list's metadata as JSON text.
std::string render_table(const Kind& kind, const std::vector<ObjectPtr>& objects,
                         const std::string& metadata, const TableForm& form, bool with_columns,
                         Time now);
std::string partial_metadata(const Object& object, bool beta);

// ---- subresource.cpp
bool has_scale(const Kind& kind);
std::vector<std::string_view> subresources_of(const Kind& kind);

class StoreView final : public ClusterView {
public:
    explicit StoreView(const Store& store) : store_(store) {}
    ObjectPtr find(const Key& key) const override { return store_.find(key); }
    std::vector<ObjectPtr> list(const Kind& kind, const std::string& ns) const override {
        return store_.list(kind, ns);
    }

private:
    const Store& store_;
};

std::string base64_url(std::string_view bytes);
Result<std::string> from_base64_url(std::string_view text);

// Who a token stands for, as TokenReview tells it, and for which of the wanted audiences.
struct TokenUser {
    Json info;
    std::vector<std::string> audiences;
};

struct Api::Impl {
    Impl(Store& s, Rng& r) : store(s), rng(r) {}

    Store& store;
    Rng& rng;
    SigningKey signer;
    Result<Json> answer_review(const Request& request, Json body, Time now);
    std::unordered_map<std::string, std::pair<std::string, std::string>> openapi;  // path: body, hash

    using Warnings = std::vector<std::string>*;

    // ---- verbs.cpp
    Response answer(const Request& request, Time now);
    Response answer_read(const Request& request, const Form& form, Time now);
    Response answer_write(const Request& request, const Form& form, Time now);
    Response answer_patch(const Request& request, const Form& form, Time now);
    Response answer_scale(const Request& request, const Json& body, Time now);
    Response answer_remove(const Request& request, const Form& form, Time now);
    Response answer_remove_collection(const Request& request, const Json& options, Time now);
    Response object_response(int status, const Request& request, const Form& form,
                             const ObjectPtr& object, Time now);

    // ---- read.cpp
    Result<ObjectPtr> get(const Request& request);
    Result<ObjectPtr> find(const Kind& kind, const std::string& ns, const std::string& name) const;
    Response list(const Request& request, const Form& form, Time now);
    // The objects as they were at `version`; nullopt when that is no longer known.
    std::optional<std::vector<ObjectPtr>> list_at(const Kind& kind, const std::string& ns,
                                                  ResourceVersion version) const;

    // ---- create.cpp
    Result<ObjectPtr> create(const Request& request, Json body, Time now, Warnings warnings);
    Result<void> check_namespace(const Request& request, std::string_view name) const;
    void assign_cluster_ip(Json& service);

    // ---- update.cpp
    enum class Write { put, patch, apply };
    Result<ObjectPtr> update(const Request& request, Json body, Time now, Warnings warnings);
    Result<ObjectPtr> patch(const Request& request, const Json& body, Time now, Warnings warnings);
    Result<ObjectPtr> apply(const Request& request, const Json& body, Time now, Warnings warnings);
    Result<ObjectPtr> replace(const Request& request, const ObjectPtr& live, Json candidate,
                              Write how, Time now, Warnings warnings);

    // ---- remove.cpp
    struct Removed {
        ObjectPtr object;
        bool gone = false;
    };
    Result<ObjectPtr> remove(const Request& request, const Json& options, Time now);
    Result<Removed> remove_object(const Request& request, const ObjectPtr& live, const Json& options,
                                  Time now);
    Removed remove_namespace(const Request& request, const ObjectPtr& live, Time now);

    // ---- subresource.cpp
    Result<ObjectPtr> bind(const Request& request, const Json& body, Time now);
    Result<Json> evict(const Request& request, const Json& body, Time now);
    Result<ObjectPtr> finalize_namespace(const Request& request, Json body, Time now);
    Result<Json> scale_of(const Request& request);
    Result<Json> write_scale(const Request& request, const Json& body, Time now, Warnings warnings);
    Result<Json> create_subresource(const Request& request, Json body, Time now);

    // ---- tokens.cpp
    // A TokenRequest's status; the defaults are put into its `spec`.
    Result<Json> issue_token(const std::string& ns, const std::string& account, Json& spec, Time now);
    Result<Json> bound_claims(const Object& account, const Json& reference) const;
    // `wanted` empty: the API server's own. The error says why not, as TokenReview does.
    Result<TokenUser> authenticate(const std::string& token, const std::vector<std::string>& wanted,
                                   Time now) const;
    Result<Json> request_token(const Request& request, Json body, Time now);
    Result<Json> review_token(Json review, Time now) const;
    std::optional<Response> issuer_document(std::string_view path) const;

    // ---- discovery.cpp, openapi.cpp
    std::optional<Response> discovery(std::string_view path, std::string_view accept,
                                      std::string_view if_none_match);
    std::optional<Response> openapi_document(std::string_view path, std::string_view if_none_match);
};

}  // namespace shed

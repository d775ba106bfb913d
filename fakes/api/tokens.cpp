// Tokens of service accounts: what they say, for how long they are good, and who they stand for
// (kube-apiserver's pkg/serviceaccount and pkg/registry/core/serviceaccount/storage/token.go).
#include "fakes/api/internal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view issuer = "https://kubernetes.default.svc.cluster.local";
constexpr std::int64_t seconds_default = 3600, seconds_min = 600,
                       seconds_max = std::int64_t{1} << 32;
// A pod's usual token asks for this odd time; it is then good for a year, and only warned of.
constexpr std::int64_t seconds_of_pods = 3607, seconds_extended = 365LL * 24 * 3600;
constexpr auto leeway = std::chrono::minutes(1);  // go-jose's, in every comparison with the clock

const Kind& accounts() { return kind_of("v1", "ServiceAccount"); }

std::int64_t unix_seconds(Time time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Time time_of(std::int64_t unix) { return Time(std::chrono::seconds(unix)); }

std::vector<std::string> texts_of(const Json& list) {
    std::vector<std::string> texts;
    for (const Json& item : list)
        if (item.is_string()) texts.push_back(item.get<std::string>());
    return texts;
}

// A list of strings as Go's %q prints it.
std::string quoted_list(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : " ") + dump_json(Json(text));
    return "[" + all + "]";
}

Json reference_to(const Object& object) { return {{"name", object.name()}, {"uid", object.uid()}}; }

Error invalid_seconds(std::int64_t seconds, const char* why) {
    static constexpr Kind request{"authentication.k8s.io", "v1", "TokenRequest", "", ""};
    return invalid(request, "",
                   {{"FieldValueInvalid", "spec.expirationSeconds",
                     "Invalid value: " + std::to_string(seconds) + ": " + why}});
}

Result<void> check_seconds(std::int64_t seconds) {
    if (seconds < seconds_min)
        return invalid_seconds(seconds, "may not specify a duration less than 10 minutes");
    if (seconds > seconds_max)
        return invalid_seconds(seconds, "may not specify a duration larger than 2^32 seconds");
    return {};
}

// The kind a token may be bound to; nullptr for others.
const Kind* bindable(const Json& reference) {
    const std::string version = string_at(reference, "apiVersion", "v1"),
                      kind = string_at(reference, "kind");
    const bool known = version == "v1" && (kind == "Pod" || kind == "Secret" || kind == "Node");
    return known ? &kind_of("v1", kind) : nullptr;
}

std::string kind_text(const Json& reference) {
    const std::string version = string_at(reference, "apiVersion");
    const auto slash = version.find('/');
    const std::string group = slash == std::string::npos ? "" : version.substr(0, slash);
    return group + "/" + version.substr(slash == std::string::npos ? 0 : slash + 1) +
           ", Kind=" + string_at(reference, "kind");
}

Error rejected(std::string why) { return {Reason::unauthorized, std::move(why)}; }

// A missing or another object of the same name; deleted ones count a minute longer.
Result<void> check_bound(const Store& store, const Kind& kind, const std::string& ns,
                         const Json& reference, const std::string& what, Time now) {
    if (!reference.is_object()) return {};
    const ObjectPtr object = store.find({&kind, ns, string_at(reference, "name")});
    const bool deleted =
        object && object->deleting() && *object->deletion_timestamp() < now - leeway;
    if (!object || deleted) return rejected("service account token has been invalidated");
    const std::string uid = string_at(reference, "uid");
    if (uid == object->uid()) return {};
    return rejected(what + " UID (" + object->uid() + ") does not match service account " + what +
                    " ref claim (" + uid + ")");
}

Result<void> check_account(const Store& store, const std::string& ns, const Json& reference,
                           Time now) {
    const std::string name = string_at(reference, "name"), uid = string_at(reference, "uid");
    const ObjectPtr account = store.find({&accounts(), ns, name});
    if (!account) return not_found(accounts(), name);
    if (account->deleting() && *account->deletion_timestamp() < now - leeway)
        return rejected("service account " + ns + "/" + name + " has been deleted");
    if (account->uid() == uid) return {};
    return rejected("service account UID (" + account->uid() + ") does not match claim (" + uid +
                    ")");
}

Result<void> check_times(const Json& claims, Time now) {
    if (now - leeway > time_of(int_at(claims, "exp")))
        return rejected("service account token has expired");
    if (now + leeway < time_of(int_at(claims, "nbf")))
        return rejected("service account token is not valid yet");
    if (now + leeway < time_of(int_at(claims, "iat")))
        return rejected("service account token is issued in the future");
    return {};
}

Json user_of(const Json& claims) {
    const Json& own = member(claims, "kubernetes.io");
    const std::string ns = string_at(own, "namespace");
    Json extra = {{"authentication.kubernetes.io/credential-id",
                   Json::array({"JTI=" + string_at(claims, "jti")})}};
    for (const char* what : {"node", "pod"})
        for (const char* part : {"name", "uid"})
            if (const Json& value = member(member(own, what), part); value.is_string())
                extra[std::string("authentication.kubernetes.io/") + what + "-" + part] =
                    Json::array({value});
    return {{"username", string_at(claims, "sub")},
            {"uid", string_at(member(own, "serviceaccount"), "uid")},
            {"groups", Json::array({"system:serviceaccounts", "system:serviceaccounts:" + ns,
                                    "system:authenticated"})},
            {"extra", std::move(extra)}};
}

}  // namespace

// The claims beneath kubernetes.io that bind the token to an object, which must be there.
Result<Json> Api::Impl::bound_claims(const Object& account, const Json& reference) const {
    if (!reference.is_object()) return Json::object();
    const Kind* kind = bindable(reference);
    if (kind == nullptr)
        return bad_request("cannot bind token to object of type " + kind_text(reference));
    const std::string name = string_at(reference, "name"), uid = string_at(reference, "uid");
    const ObjectPtr object = store.find({kind, kind->namespaced ? account.ns() : "", name});
    if (!object) return not_found(*kind, name);
    const Json& spec = member(object->dom(), "spec");
    if (kind->kind == "Pod" && string_at(spec, "serviceAccountName") != account.name())
        return bad_request("cannot bind token for serviceaccount " +
                           dump_json(Json(account.name())) +
                           " to pod running with different serviceaccount name.");
    if (!uid.empty() && uid != object->uid())
        return Error{Reason::conflict, "Operation cannot be fulfilled on " +
                                           std::string(kind->kind) + " \"" + name +
                                           "\": the UID in the bound object reference (" + uid +
                                           ") does not match the UID in record. The object might "
                                           "have been deleted and then recreated"};
    Json claims = Json::object();
    const bool pod = kind->kind == "Pod";
    claims[pod ? "pod" : kind->kind == "Node" ? "node" : "secret"] = reference_to(*object);
    const std::string node = pod ? string_at(spec, "nodeName") : "";
    if (node.empty()) return claims;
    const ObjectPtr found = store.find({&kind_of("v1", "Node"), "", node});
    claims["node"] = found ? reference_to(*found) : Json{{"name", node}};
    return claims;
}

Result<Json> Api::Impl::issue_token(const std::string& ns, const std::string& name, Json& spec,
                                    Time now) {
    const ObjectPtr account = store.find({&accounts(), ns, name});
    if (!account) return not_found(accounts(), name);
    if (!spec.is_object()) spec = Json::object();
    if (member(spec, "audiences").empty()) spec["audiences"] = Json::array({issuer});
    if (!spec.contains("boundObjectRef")) spec["boundObjectRef"] = nullptr;
    const std::int64_t seconds = int_at(spec, "expirationSeconds", seconds_default);
    spec["expirationSeconds"] = seconds;
    if (auto checked = check_seconds(seconds); !checked) return checked.error();
    auto own = bound_claims(*account, spec["boundObjectRef"]);
    if (!own) return own.error();
    (*own)["namespace"] = ns;
    (*own)["serviceaccount"] = reference_to(*account);
    const std::int64_t issued = unix_seconds(now);
    const bool extended =
        own->contains("pod") && seconds == seconds_of_pods &&
        texts_of(spec["audiences"]) == std::vector<std::string>{std::string(issuer)};
    if (extended) (*own)["warnafter"] = issued + seconds;
    const Json claims = {{"iss", issuer},
                         {"sub", "system:serviceaccount:" + ns + ":" + name},
                         {"aud", spec["audiences"]},
                         {"iat", issued},
                         {"nbf", issued},
                         {"exp", issued + (extended ? seconds_extended : seconds)},
                         {"jti", rng.uuid()},
                         {"kubernetes.io", std::move(*own)}};
    return Json{{"token", signer.sign(claims)},
                {"expirationTimestamp", format_time(now + std::chrono::seconds(seconds))}};
}

Result<TokenUser> Api::Impl::authenticate(const std::string& token,
                                          const std::vector<std::string>& wanted, Time now) const {
    const auto claims = signer.verify(token);
    if (!claims || string_at(*claims, "iss") != issuer) return rejected("invalid bearer token");
    const auto reject = [](const Error& why) {
        return rejected("[invalid bearer token, " + why.message + "]");
    };
    const std::vector<std::string> audiences = texts_of(member(*claims, "aud"));
    const std::vector<std::string> target =
        wanted.empty() ? std::vector<std::string>{std::string(issuer)} : wanted;
    TokenUser user;
    for (const std::string& audience : audiences)
        if (std::find(target.begin(), target.end(), audience) != target.end())
            user.audiences.push_back(audience);
    if (user.audiences.empty())
        return reject(rejected("token audiences " + quoted_list(audiences) +
                               " is invalid for the target audiences " + quoted_list(target)));
    const Json& own = member(*claims, "kubernetes.io");
    const std::string ns = string_at(own, "namespace");
    const Json& pod = member(own, "pod");
    auto checked = check_times(*claims, now);
    if (checked) checked = check_account(store, ns, member(own, "serviceaccount"), now);
    if (checked)
        checked =
            check_bound(store, kind_of("v1", "Secret"), ns, member(own, "secret"), "secret", now);
    if (checked) checked = check_bound(store, kind_of("v1", "Pod"), ns, pod, "pod", now);
    if (checked && !pod.is_object())
        checked = check_bound(store, kind_of("v1", "Node"), "", member(own, "node"), "node", now);
    if (!checked) return reject(checked.error());
    user.info = shed::user_of(*claims);
    return user;
}

Result<Json> Api::Impl::request_token(const Request& request, Json body, Time now) {
    const ObjectPtr account = store.find({&accounts(), request.ns, request.name});
    if (!account) return not_found(accounts(), request.name);
    Json& spec = body["spec"];
    auto status = issue_token(request.ns, request.name, spec, now);
    if (!status) return status.error();
    body["apiVersion"] = "authentication.k8s.io/v1";
    body["kind"] = "TokenRequest";
    body["metadata"] = {{"name", request.name},
                        {"namespace", request.ns},
                        {"uid", account->uid()},
                        {"creationTimestamp", format_time(now)}};
    body["status"] = std::move(*status);
    return body;
}

Result<Json> Api::Impl::review_token(Json review, Time now) const {
    const std::string token = string_at(review, "spec.token");
    if (token.empty()) return bad_request("token is required for TokenReview in authentication");
    const auto user = authenticate(token, texts_of(at_path(review, "spec.audiences")), now);
    if (user)
        review["status"] = {
            {"authenticated", true}, {"user", user->info}, {"audiences", user->audiences}};
    else review["status"] = {{"user", Json::object()}, {"error", user.error().message}};
    return review;
}

// What lets others verify tokens without asking (OpenID Connect Discovery 1.0); nullopt for other
// paths.
std::optional<Response> Api::Impl::issuer_document(std::string_view path) const {
    Response response;
    response.headers = {{"Cache-Control", "public, max-age=3600"}};
    if (path == "/openid/v1/jwks") {
        response.content_type = "application/jwk-set+json";
        response.body = dump_json({{"keys", Json::array({signer.public_jwk()})}});
        return response;
    }
    if (path != "/.well-known/openid-configuration") return std::nullopt;
    response.body = dump_json({{"issuer", issuer},
                               {"jwks_uri", std::string(issuer) + "/openid/v1/jwks"},
                               {"response_types_supported", Json::array({"id_token"})},
                               {"subject_types_supported", Json::array({"public"})},
                               {"id_token_signing_alg_values_supported", Json::array({"ES256"})}});
    return response;
}

}  // namespace shed

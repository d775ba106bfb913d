// update, patch and apply: one way in for every change to an object that exists.
#include "fakes/api/internal.hpp"
#include "fakes/patch/typed.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

bool is_status(const Request& request) { return request.subresource == "status"; }

Result<void> check_place(const Request& request, Json& candidate) {
    Json& metadata = candidate["metadata"];
    if (metadata.is_null()) metadata = Json::object();
    const std::string name = string_at(metadata, "name");
    if (name.empty())
        return bad_request("the name of the object (" + request.name +
                           " based on URL) was undeterminable: name must be provided");
    if (name != request.name)
        return bad_request("the name of the object (" + name + ") does not match the name on the URL (" +
                           request.name + ")");
    const std::string ns = string_at(metadata, "namespace");
    if (!request.kind->namespaced) metadata.erase("namespace");
    else if (ns.empty()) metadata["namespace"] = request.ns;
    else if (ns != request.ns)
        return bad_request(
            "the namespace of the provided object does not match the namespace sent on the request");
    return {};
}

Error wrong_uid(const Kind& kind, const Object& live, const std::string& uid) {
    const std::string place = live.ns().empty() ? "" : live.ns() + "/";
    const std::string group = kind.group.empty() ? "" : std::string(kind.group) + "/";
    Error error = conflict(kind, live.name());
    const auto end = error.message.find(": the object has been modified");
    error.message = error.message.substr(0, end) +
                    ": StorageError: invalid object, Code: 4, Key: /registry/" + group +
                    std::string(kind.plural) + "/" + place + live.name() +
                    ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in "
                    "precondition: " +
                    uid + ", UID in object meta: " + live.uid();
    return error;
}

Result<void> check_version(const Kind& kind, const Object& live, const Json& metadata) {
    const std::string text = string_at(metadata, "resourceVersion");
    if (text.empty()) {
        if (!unconditional_update_allowed(kind)) return version_required(kind, live.name());
        return {};
    }
    ResourceVersion version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc() || end != text.data() + text.size())
        return plain_internal("strconv.ParseUint: parsing \"" + text + "\": invalid syntax");
    if (version == 0 && !unconditional_update_allowed(kind))
        return version_required(kind, live.name());
    if (version != 0 && version != live.resource_version()) return conflict(kind, live.name());
    return {};
}

Result<void> check_identity(const Kind& kind, const Object& live, const Json& metadata, bool put) {
    const std::string uid = string_at(metadata, "uid");
    if (uid.empty() || uid == live.uid()) return {};
    if (put) return wrong_uid(kind, live, uid);
    return invalid_twice(kind, live.name(),
                         {"FieldValueInvalid", "metadata.uid",
                          "Invalid value: \"" + uid + "\": field is immutable"});
}

// What a client can never change, taken from the object as it is.
void keep_system_fields(const Json& live, Json& candidate) {
    const Json& old = member(live, "metadata");
    Json& metadata = candidate["metadata"];
    for (const char* name : {"uid", "creationTimestamp", "deletionTimestamp", "generation",
                             "deletionGracePeriodSeconds", "generateName", "resourceVersion"}) {
        if (old.contains(name)) metadata[name] = old[name];
        else metadata.erase(name);
    }
    metadata.erase("selfLink");
    for (const char* name : {"labels", "annotations", "finalizers", "ownerReferences"}) {
        const auto found = metadata.find(name);
        if (found != metadata.end() &&
            (found->is_null() || (found->is_structured() && found->empty())))
            metadata.erase(found);
    }
    // A client that leaves managedFields out did not mean to change them; an empty list resets them.
    if (!metadata.contains("managedFields")) {
        if (old.contains("managedFields")) metadata["managedFields"] = old["managedFields"];
    } else if (metadata["managedFields"].empty()) {
        metadata.erase("managedFields");
    }
}

void take(const Json& from, Json& to, const std::string& name) {
    const auto found = from.find(name);
    if (found == from.end()) to.erase(name);
    else to[name] = *found;
}

// Either only the status changes, or everything but the status.
void keep_other_half(const Request& request, const Kind& kind, const Json& live, Json& candidate) {
    if (!is_status(request)) {
        if (kind.has_status && request.subresource.empty()) take(live, candidate, "status");
        return;
    }
    Json kept = live;
    take(candidate, kept, "status");
    if (kind.custom) {
        take(candidate["metadata"], kept["metadata"], "managedFields");
    } else {
        // A pod's quality of service follows from its spec, so nobody may say otherwise.
        if (kind.plural == "pods" && !string_at(live, "status.qosClass").empty())
            kept["status"]["qosClass"] = live["status"]["qosClass"];
        Json metadata = candidate["metadata"];
        take(live["metadata"], metadata, "ownerReferences");
        kept["metadata"] = std::move(metadata);
    }
    candidate = std::move(kept);
}

std::optional<Error> check_new_finalizers(const Kind& kind, const Object& live, const Json& candidate) {
    if (!live.deleting()) return std::nullopt;
    const Json& finalizers = at_path(candidate, "metadata.finalizers");
    std::string added;
    if (!finalizers.is_array()) return std::nullopt;
    for (const Json& f : finalizers) {
        const std::string name = f.is_string() ? f.get<std::string>() : std::string();
        const auto& old = live.finalizers();
        if (std::find(old.begin(), old.end(), name) != old.end()) continue;
        added += (added.empty() ? "\"" : ", \"") + name + "\"";
    }
    if (added.empty()) return std::nullopt;
    return invalid_twice(kind, live.name(),
                         {"FieldValueForbidden", "metadata.finalizers",
                          "Forbidden: no new finalizers can be added if the object is being deleted, "
                          "found new finalizers []string{" +
                              added + "}"});
}

bool gone_after_update(const Object& live, const Json& candidate) {
    if (!live.deleting()) return false;
    const Json& finalizers = at_path(candidate, "metadata.finalizers");
    if (!finalizers.is_null() && !finalizers.empty()) return false;
    if (live.kind().plural == "namespaces" && live.kind().group.empty())
        return at_path(candidate, "spec.finalizers").empty();
    return int_at(live.dom(), "metadata.deletionGracePeriodSeconds", -1) == 0;
}

// What goes wrong inside the merging libraries is a bare Go error.
Error without_reason(const Error& error) {
    return error.reason == Reason::internal ? plain_internal(error.message) : error;
}

}  // namespace

Result<ObjectPtr> Api::Impl::update(const Request& request, Json body, Time now, Warnings warnings) {
    if (request.subresource == "finalize")
        return finalize_namespace(request, std::move(body), now);
    const Kind& kind = stored_kind(*request.kind);
    if (is_new_event(*request.kind)) body = event_to_core(std::move(body));
    if (auto wrong = check_metadata_types(kind, body)) return *wrong;
    if (auto placed = check_place(request, body); !placed) return placed.error();
    const ObjectPtr live = store.find({&kind, request.ns, request.name});
    if (!live) {
        if (!created_by_update(kind) || !request.subresource.empty())
            return not_found(*request.kind, request.name);
        Request creation = request;
        creation.kind = &kind;
        creation.verb = Verb::create;
        auto created = create(creation, std::move(body), now, warnings);
        if (!created) return created.error();
        return presented(*request.kind, *created);
    }
    return replace(request, live, std::move(body), Write::put, now, warnings);
}

Result<ObjectPtr> Api::Impl::patch(const Request& request, const Json& body, Time now,
                                   Warnings warnings) {
    if (media_type_of(request.content_type) == "application/apply-patch+yaml")
        return apply(request, body, now, warnings);
    const Kind& kind = stored_kind(*request.kind);
    const ObjectPtr live = store.find({&kind, request.ns, request.name});
    const bool new_event = is_new_event(*request.kind);
    if (!live) {
        // The media type is judged before the object is looked for.
        auto tried = patched(request, *request.kind, Json::object(), body);
        if (!tried && tried.error().reason == Reason::unsupported_media_type) return tried.error();
        return not_found(*request.kind, request.name);
    }
    auto candidate =
        new_event ? patched(request, *request.kind, event_from_core(live->dom()), body)
                  : patched(request, kind, live->dom(), body);
    if (!candidate) return without_reason(candidate.error());
    if (!candidate->is_object()) return bad_request("the patched object is not an object");
    if (new_event) *candidate = event_to_core(std::move(*candidate));
    (*candidate)["apiVersion"] = kind.api_version();
    (*candidate)["kind"] = kind.kind;
    return replace(request, live, std::move(*candidate), Write::patch, now, warnings);
}

Result<ObjectPtr> Api::Impl::apply(const Request& request, const Json& body, Time now,
                                   Warnings warnings) {
    const Kind& kind = stored_kind(*request.kind);
    const std::string manager(request.parameter("fieldManager"));
    if (manager.empty())
        return options_invalid("PatchOptions",
                               {"FieldValueRequired", "fieldManager",
                                "Required value: is required for apply patch"});
    if (!body.is_object()) return bad_request("error decoding YAML: the patch is not an object");
    if (at_path(body, "metadata.managedFields").is_null())
        if (std::string problem = typed_problem(*request.kind, body); !problem.empty())
            return plain_internal(std::move(problem));
    Json applied = is_new_event(*request.kind) ? event_to_core(body) : body;
    const ObjectPtr live = store.find({&kind, request.ns, request.name});
    if (!live && !request.subresource.empty()) return not_found(*request.kind, request.name);
    if (auto wrong = check_metadata_types(kind, applied)) return *wrong;
    if (!string_at(applied, "metadata.name").empty() || !live)
        if (auto placed = check_place(request, applied); !placed) return placed.error();
    if (live) {
        const std::string uid = string_at(applied, "metadata.uid");
        if (!uid.empty() && uid != live->uid()) return wrong_uid(kind, *live, uid);
    }
    ApplyOptions options{manager, request.flag("force"), request.subresource, now};
    auto merged = apply_patch(kind, live ? live->dom() : Json(), applied, options);
    if (!merged) return merged.error();
    if (live) return replace(request, live, std::move(*merged), Write::apply, now, warnings);
    Request creation = request;
    creation.kind = &kind;
    auto created = create(creation, std::move(*merged), now, warnings);
    if (!created) return created.error();
    return presented(*request.kind, *created);
}

Result<ObjectPtr> Api::Impl::replace(const Request& request, const ObjectPtr& live, Json candidate,
                                     Write how, Time now, Warnings warnings) {
    // What is being deleted may still change: its finalizers have to go.
    if (store.full() && !live->deleting()) return *store.full();
    const Kind& shown = *request.kind;
    const Kind& kind = live->kind();
    if (auto wrong = check_metadata_types(kind, candidate)) return *wrong;
    if (auto placed = check_place(request, candidate); !placed) return placed.error();
    const Json& sent = candidate["metadata"];
    if (auto same = check_identity(kind, *live, sent, how == Write::put); !same) return same.error();
    if (auto fresh = check_version(kind, *live, sent); !fresh) return fresh.error();

    if (how == Write::patch)
        if (auto read = check_patched(request, kind, candidate); !read) return read.error();
    if (auto valid = validate_fields(request, kind, candidate, warnings); !valid)
        return valid.error();
    keep_system_fields(live->dom(), candidate);
    keep_other_half(request, kind, live->dom(), candidate);
    if (kind.plural == "events") normalize_event(candidate);
    if (auto added = check_new_finalizers(kind, *live, candidate)) return *added;

    if (candidate != live->dom()) {
        const AdmissionRequest admission{Operation::update, &kind, request.subresource, &live->dom(),
                                         request.user,      now,   rng.next()};
        auto admitted = admit(admission, candidate, StoreView(store));
        if (!admitted) return admitted.error();
        if (warnings != nullptr)
            warnings->insert(warnings->end(), admitted->warnings.begin(), admitted->warnings.end());
    }
    const bool same_spec = spec_equal(kind, live->dom(), candidate);
    if (kind.has_generation && !same_spec)
        candidate["metadata"]["generation"] = live->generation() + 1;
    if (candidate == live->dom()) return presented(shown, live);
    if (how != Write::apply &&
        member(candidate["metadata"], "managedFields") ==
            at_path(live->dom(), "metadata.managedFields"))
        record_update(kind, live->dom(), candidate,
                      {field_manager(request), false, request.subresource, now});

    const bool gone = gone_after_update(*live, candidate);
    if (gone || !request.parameter("dryRun").empty()) {
        if (gone && request.parameter("dryRun").empty()) store.remove(live->key());
        return presented(shown, Object::make(std::move(candidate)));
    }
    return presented(shown, store.put(std::move(candidate)));
}

}  // namespace shed

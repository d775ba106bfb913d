// Projected volumes: several sources that share one directory, and so one set of paths.
#include "fakes/admission/validate/rules.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::int64_t token_seconds_min = 600;
constexpr std::int64_t token_seconds_max = std::int64_t{1} << 32;

class Projection {
public:
    explicit Projection(const Field& volume) : volume_(volume) {}

    void validate(const Field& source) {
        int sources = 0;
        for (const char* name : {"secret", "configMap"})
            if (const Field object = source[name]) {
                ++sources;
                keyed(object);
            }
        if (const Field downward = source["downwardAPI"]) {
            ++sources;
            for (const Field& file : downward["items"].items()) {
                validate_downward_file(file, downward);
                claim_path(file["path"].text(), file["path"].text());
            }
        }
        if (const Field account = source["serviceAccountToken"]) {
            ++sources;
            token(account);
        }
        if (const Field bundle = source["clusterTrustBundle"]) {
            ++sources;
            trust_bundle(bundle);
        }
        if (source["podCertificate"]) ++sources;
        if (sources > 1) source.forbidden("may not specify more than 1 volume type per source");
    }

private:
    void claim_path(const std::string& path, const std::string& shown) {
        if (path.empty() || taken_.insert(path).second) return;
        volume_.invalid(shown, "conflicting duplicate paths");
    }

    void keyed(const Field& object) {
        required_text(object["name"]);
        for (const Field& item : object["items"].items()) {
            validate_key_to_path(item);
            claim_path(item["path"].text(), object["name"].text());
        }
    }

    void token(const Field& account) {
        const Field seconds = account["expirationSeconds"];
        if (seconds && seconds.number() < token_seconds_min)
            seconds.invalid("may not specify a duration less than 10 minutes");
        seconds.at_most(token_seconds_max, "may not specify a duration larger than 2^32 seconds");
        const Field path = account["path"].moved(joined_path(volume_.path(), "path"));
        required_text(path);
        validate_local_path(path);
    }

    void trust_bundle(const Field& bundle) {
        const Field name = bundle["name"], signer = bundle["signerName"], path = bundle["path"];
        if (!name && !signer) bundle.required("either name or signerName must be specified");
        else if (name && name.text().empty()) name.required("must be a valid object name");
        else if (signer && signer.text().empty()) signer.required("must be a valid signer name");
        required_text(path);
        validate_local_path(path);
        claim_path(path.text(), path.text());
    }

    const Field& volume_;
    std::set<std::string> taken_;
};

}  // namespace

void validate_projected_volume(const Field& projected) {
    validate_file_mode(projected["defaultMode"]);
    Projection projection(projected);
    for (const Field& source : projected["sources"].items()) projection.validate(source);
}

}  // namespace shed::admission

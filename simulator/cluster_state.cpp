#include "simulator/cluster_state.hpp"

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

constexpr const char* identity_name = "identity";
// Certificates are good for a year: an older one would end under a cluster that lasts.
constexpr auto identity_age_max = std::chrono::hours(24 * 300);

ClusterIdentity new_identity(Time now) {
    ClusterIdentity identity;
    identity.tls = make_tls_identity(now);
    identity.token = make_token();
    identity.made = now;
    return identity;
}

}  // namespace

Result<std::unique_ptr<SqliteJournal>> open_journal(const std::string& file, asio::io_context& io) {
    if (file.empty()) return std::unique_ptr<SqliteJournal>();
    JournalOptions options;
    options.file = file;
    options.post = [&io](std::function<void()> what) { asio::post(io, std::move(what)); };
    return SqliteJournal::open(std::move(options));
}

Result<ClusterIdentity> identity_of(SqliteJournal* journal, Time now) {
    if (journal == nullptr) return new_identity(now);
    const auto kept = journal->kept(identity_name);
    if (!kept) return kept.error();
    if (!kept->has_value()) return new_identity(now);
    const auto json = parse_json(**kept);
    if (!json) return json.error();
    ClusterIdentity identity;
    identity.tls = {string_at(*json, "ca"), string_at(*json, "certificate"),
                    string_at(*json, "key")};
    identity.token = string_at(*json, "token");
    identity.port = static_cast<std::uint16_t>(int_at(*json, "port"));
    identity.made = parse_time(string_at(*json, "made")).value_or(Time{});
    return now - identity.made < identity_age_max ? identity : new_identity(now);
}

Result<void> keep_identity(SqliteJournal& journal, const ClusterIdentity& identity) {
    const Json json = {{"ca", identity.tls.ca_pem},   {"certificate", identity.tls.cert_pem},
                       {"key", identity.tls.key_pem}, {"token", identity.token},
                       {"port", identity.port},       {"made", format_time(identity.made)}};
    return journal.keep(identity_name, dump_json(json));
}

}  // namespace shed

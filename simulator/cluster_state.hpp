#pragma once
// What a cluster has that outlives its process: the store's file, and in it certificates, token and
// port.
#include "fakes/journal/sqlite_journal.hpp"
#include "fakes/net/tls.hpp"

#include <boost/asio/io_context.hpp>

namespace shed {

struct ClusterIdentity {
    TlsIdentity tls;
    std::string token;       // of kubernetes-admin
    std::uint16_t port = 0;  // of the API server; 0: it had none yet
    Time made{};
};

// nullptr for an empty name: the state is in memory.
Result<std::unique_ptr<SqliteJournal>> open_journal(const std::string& file,
                                                    boost::asio::io_context& io);
// That of an earlier run with this journal, so that kubeconfigs stay good, or a new one.
Result<ClusterIdentity> identity_of(SqliteJournal* journal, Time now);
Result<void> keep_identity(SqliteJournal& journal, const ClusterIdentity& identity);

}  // namespace shed

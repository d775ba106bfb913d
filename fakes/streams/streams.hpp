#pragma once
// exec, attach and port-forward on an upgraded connection: the protocols by which clients carry
// streams, and the copying. Knows nothing of pods: what runs and what is connected to comes from
// the caller.
//   commands      remotecommand's channels over WebSocket (channel.k8s.io, v4, v5; base64 of the
//   first two), or
//                 streams of SPDY/3.1 (v1 to v4.channel.k8s.io)
//   port-forward  SPDY/3.1 (portforward.k8s.io), the same within WebSocket messages
//   (SPDY/3.1+portforward.k8s.io), or
//                 channels over WebSocket (v4.channel.k8s.io)
// No side runs ahead of a slow other one: what is read is written before more is read, but for
// port_queue_bytes_max.
#include "fakes/base/result.hpp"
#include "fakes/net/http_server.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

namespace shed {

inline constexpr std::size_t port_queue_bytes_max =
    256 * 1024;  // of one forwarded connection, towards the pod
inline constexpr std::size_t forwarded_streams_max = 1024;  // on one connection of a client

struct TerminalSize {
    std::uint16_t width = 0, height = 0;  // in characters
};

// A command that runs, or a container that is attached to.
class RemoteCommand {
public:
    enum class Output { out, err };
    virtual ~RemoteCommand() = default;
    virtual boost::asio::awaitable<std::string> read(
        Output which) = 0;  // as bytes come; empty at the end
    virtual boost::asio::awaitable<bool> write(
        std::string_view input) = 0;  // false: nobody reads it any more
    virtual void end_input() = 0;
    virtual void resize(TerminalSize size) = 0;
    virtual boost::asio::awaitable<Result<int>> exit_code() = 0;  // returns when it has ended
    virtual void close() = 0;  // the client has gone: whatever waits here ends
};

struct CommandStreams {
    bool in = false, out = false, err = false, tty = false;
};
using StartCommand =
    std::function<boost::asio::awaitable<Result<std::shared_ptr<RemoteCommand>>>()>;

// Serves a GET or POST of exec or attach. An error instead of `start` is the kubelet's refusal, in
// its words; the client gets it before or after the upgrade, depending on its protocol, as the API
// server passes it on.
boost::asio::awaitable<void> serve_command(const HttpRequest& request, HttpReply& reply,
                                           CommandStreams wanted, Result<StartCommand> start);

using PodSocket = std::shared_ptr<boost::asio::posix::stream_descriptor>;
// A connection to this port of the pod's loopback address.
using DialPod = std::function<boost::asio::awaitable<Result<PodSocket>>(int port)>;

struct ForwardTarget {
    std::string pod = {};         // NAME_NAMESPACE, as in a kubelet's messages
    std::vector<int> ports = {};  // of the query; used by the WebSocket channels only
    DialPod dial = {};
};
boost::asio::awaitable<void> serve_port_forward(const HttpRequest& request, HttpReply& reply,
                                                ForwardTarget target);

// ---- parts that tests look at alone
struct Upgrade {
    enum class Kind { none, websocket, spdy } kind = Kind::none;
    std::vector<std::string> protocols;  // as offered, best first
};
Upgrade upgrade_of(const HttpRequest& request);
// {"Width":80,"Height":24}; nullopt when it is none.
std::optional<TerminalSize> parse_terminal_size(std::string_view json);
// The status a command's end is told by: metav1.Status as JSON, in a kubelet's words.
std::string status_of_exit(const Result<int>& code, const std::string& doing);

}  // namespace shed

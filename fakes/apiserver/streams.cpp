// Which pod and container a stream is to, as the API server and the kubelet look for them; the rest
// is fakes/streams.
#include "fakes/apiserver/streams.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

CommandStreams streams_of(const Request& request) {
    CommandStreams wanted;
    wanted.in = request.flag("stdin");
    wanted.out = request.flag("stdout");
    wanted.tty = request.flag("tty");
    wanted.err = request.flag("stderr") && !wanted.tty;  // a terminal has one output
    return wanted;
}

// "ports=80&ports=443" or "ports=80,443".
Result<std::vector<int>> ports_of(const Request& request) {
    std::vector<int> ports;
    const auto [first, last] = request.query.equal_range("ports");
    for (auto given = first; given != last; ++given) {
        const std::string& text = given->second;
        for (std::size_t at = 0; at <= text.size();) {
            const auto comma = std::min(text.find(',', at), text.size());
            int port = 0;
            const auto [end, error] = std::from_chars(text.data() + at, text.data() + comma, port);
            if (error != std::errc() || end != text.data() + comma || port < 1 || port > 65535)
                return Error{Reason::bad_request, "unable to parse \"" + text + "\" as a port"};
            ports.push_back(port);
            at = comma + 1;
        }
    }
    return ports;
}

std::vector<std::string> command_of(const Request& request) {
    std::vector<std::string> words;
    const auto [first, last] = request.query.equal_range("command");
    for (auto word = first; word != last; ++word) words.push_back(word->second);
    return words;
}

Result<ObjectPtr> find_pod(const Store& store, const Request& request) {
    static const Kind& pods = kind_of("v1", "Pod");
    const ObjectPtr pod = store.find({&pods, request.ns, request.name});
    if (!pod) return not_found(pods, request.name);
    return pod;
}

Error without_host(const std::string& pod) {
    return {Reason::bad_request, "pod " + pod + " does not have a host assigned"};
}

Result<StartCommand> start_of(PodStreams& streams, const Object& pod, const std::string& container,
                              const Request& request, CommandStreams wanted) {
    if (!wanted.in && !wanted.out && !wanted.err)
        return Error{Reason::bad_request, "you must specify at least 1 of stdin, stdout, stderr"};
    if (request.subresource == "attach") return streams.attach(pod, container, wanted);
    return streams.exec(pod, container, command_of(request), wanted);
}

asio::awaitable<void> refuse(HttpReply& reply, const Error& error) {
    Response refused = response_of(error);
    HttpResponse answer;
    answer.status = refused.status;
    answer.content_type = std::move(refused.content_type);
    answer.body = std::move(refused.body);
    answer.headers = std::move(refused.headers);
    co_await reply.send(std::move(answer));
}

asio::awaitable<void> forward(PodStreams& streams, const Object& pod, const Request& request,
                              const HttpRequest& http, HttpReply& reply) {
    auto ports = ports_of(request);
    if (!ports) {
        co_await refuse(reply, ports.error());
        co_return;
    }
    ForwardTarget target;
    target.pod = pod.name() + "_" + pod.ns();
    target.ports = std::move(*ports);
    target.dial = streams.dial(pod);
    co_await serve_port_forward(http, reply, std::move(target));
}

}  // namespace

bool is_streamed(const Request& request) {
    return request.subresource == "exec" || request.subresource == "attach" ||
           request.subresource == "portforward";
}

asio::awaitable<void> serve_streams(const Store& store, PodStreams* streams, Request request,
                                    const HttpRequest& http, HttpReply& reply) {
    const auto pod = find_pod(store, request);
    std::optional<Error> refused;
    if (streams == nullptr) refused = Error{Reason::not_found, "this server runs no pods"};
    else if (!pod) refused = pod.error();
    const bool forwards = request.subresource == "portforward";
    std::string container;
    if (!refused && !forwards) {
        auto chosen = choose_container((*pod)->dom(), request.name,
                                       std::string(request.parameter("container")));
        if (chosen) container = std::move(*chosen);
        else refused = chosen.error();
    }
    if (!refused && string_at((*pod)->dom(), "spec.nodeName").empty())
        refused = without_host(request.name);
    if (refused) {
        co_await refuse(reply, *refused);
        co_return;
    }
    if (forwards) {
        co_await forward(*streams, **pod, request, http, reply);
        co_return;
    }
    const CommandStreams wanted = streams_of(request);
    auto start = start_of(*streams, **pod, container, request, wanted);
    co_await serve_command(http, reply, wanted, std::move(start));
}

}  // namespace shed

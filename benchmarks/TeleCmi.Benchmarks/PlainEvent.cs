using System.Text.Json.Serialization;
using Newtonsoft.Json;

namespace TeleCmi.Benchmarks;

/// <summary>The plain class that a receiver without this project would write for the documented event.</summary>
internal sealed class PlainEvent
{
    [JsonPropertyName("call_id"), JsonProperty("call_id")]
    public string? CallId { get; set; }

    [JsonPropertyName("leg"), JsonProperty("leg")]
    public string? Leg { get; set; }

    [JsonPropertyName("type"), JsonProperty("type")]
    public string? Type { get; set; }

    [JsonPropertyName("user"), JsonProperty("user")]
    public string? User { get; set; }

    [JsonPropertyName("cmiuuid"), JsonProperty("cmiuuid")]
    public string? CmiUuid { get; set; }

    [JsonPropertyName("direction"), JsonProperty("direction")]
    public string? Direction { get; set; }

    [JsonPropertyName("callerid"), JsonProperty("callerid")]
    public string? CallerId { get; set; }

    [JsonPropertyName("app_id"), JsonProperty("app_id")]
    public long AppId { get; set; }

    [JsonPropertyName("time"), JsonProperty("time")]
    public long Time { get; set; }

    [JsonPropertyName("custom"), JsonProperty("custom")]
    public string? Custom { get; set; }

    [JsonPropertyName("extra_params"), JsonProperty("extra_params")]
    public string? ExtraParams { get; set; }

    [JsonPropertyName("request_id"), JsonProperty("request_id")]
    public string? RequestId { get; set; }

    [JsonPropertyName("status"), JsonProperty("status")]
    public string? Status { get; set; }

    [JsonPropertyName("to"), JsonProperty("to")]
    public string? To { get; set; }

    [JsonPropertyName("conversation_uuid"), JsonProperty("conversation_uuid")]
    public string? ConversationUuid { get; set; }
}

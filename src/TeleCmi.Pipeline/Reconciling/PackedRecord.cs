using System.Text.Json;
using System.Text.Json.Serialization;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>A report's record as bytes, for the spool.</summary>
internal static partial class PackedRecord
{
    public static byte[] Pack(ReportRecord record) => JsonSerializer.SerializeToUtf8Bytes(record, RecordJson.Default.ReportRecord);

    public static ReportRecord Unpack(byte[] packed) => JsonSerializer.Deserialize(packed, RecordJson.Default.ReportRecord)!;

    [JsonSerializable(typeof(ReportRecord))]
    [JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, IgnoreReadOnlyProperties = true, Converters = [typeof(ReportByName)])]
    private sealed partial class RecordJson : JsonSerializerContext;

    private sealed class ReportByName : JsonConverter<CallReport>
    {
        public override CallReport Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var name = reader.GetString();
            return CallReport.All.Single(report => report.Name == name);
        }

        public override void Write(Utf8JsonWriter writer, CallReport value, JsonSerializerOptions options) => writer.WriteStringValue(value.Name);
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace TeleCmi.LoadTest.Reports;

internal static class Json
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };
}

using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.LocalHost
{
    internal static class SampleQueries
    {
        public static string ToQuery(this DocumentedNotice sample)
        {
            using var json = JsonDocument.Parse(sample.Utf8);
            return string.Join('&', json.RootElement.EnumerateObject().Select(field => $"{Uri.EscapeDataString(field.Name)}={Uri.EscapeDataString(field.Value.ToString())}"));
        }
    }
}

namespace TeleCmi.LocalHost.LivePage
{
    internal sealed class LiveHub
    {
        [SuppressMessage("Performance", "CA1822", Justification = "A stub.")]
        public RequestId Arrived(HttpContext context, bool hasToken) => default;
    }

    internal static class LivePageSetup
    {
        public static void AddLivePage(this IServiceCollection services)
        {
        }

        public static void MapLivePage(this WebApplication app)
        {
        }
    }
}

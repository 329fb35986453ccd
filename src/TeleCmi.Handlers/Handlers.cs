using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Processing;

namespace TeleCmi.Handlers;

/// <summary>The handlers that run on each event, on Azure and on one machine.</summary>
public static class Handlers
{
    /// <summary>Add yours here: a file beside this one, and a line such as <c>services.AddCallEventHandler&lt;TellCrm&gt;();</c> (README has one with an HttpClient).</summary>
    public static IServiceCollection AddHandlers(this IServiceCollection services)
    {
        return services;
    }
}

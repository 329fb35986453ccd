using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TeleCmi.Functions;
using TeleCmi.Handlers;
using TeleCmi.Pipeline;
using TeleCmi.Storage.Azure;

// First of all: making storage ready takes longer than all else that the first event needs of this app.
var warmUp = new WarmUp(Environment.GetEnvironmentVariable);

// The platform starts the app anew when a setting changes, so no file is watched for it.
Environment.SetEnvironmentVariable("DOTNET_hostBuilder__reloadConfigOnChange", "false");
var builder = FunctionsApplication.CreateBuilder(args);
builder.Services.AddTeleCmiPipeline();
builder.Services.AddAzureStorage();
builder.Services.AddHandlers();
builder.Services.AddTriggerSettings();
builder.AddTelemetry();

var host = builder.Build();

// Nobody waits for it: whatever it runs into, the first event does too, and says so.
_ = warmUp.ReportAsync(host.Services.GetRequiredService<ILogger<WarmUp>>());
await host.RunAsync();

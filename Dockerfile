# The LocalHost in a container: docs/service.md. Not built where this was written.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/TeleCmi.LocalHost -c Release -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
RUN mkdir /data && chown app /data
USER app
VOLUME /data
ENV LocalHost__Data=/data \
    urls=http://0.0.0.0:7071
EXPOSE 7071
ENTRYPOINT ["dotnet", "TeleCmi.LocalHost.dll"]
